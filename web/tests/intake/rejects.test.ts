// Every text that an import writes about a refused row has its Chinese, with the figures and names that stand in it.
import { describe, expect, it, vi } from 'vitest';
import { detailText, toDoText } from '../../src/intake/imports/rejects';

// The words ask the page for its language as soon as they are read.
vi.hoisted(() => {
  vi.stubGlobal('location', { search: '' });
  vi.stubGlobal('localStorage', { getItem: () => null });
});

const DETAILS: Record<string, string> = {
  'words: what stands there has 10,001 characters.': '内容：有 10,001 个字',
  'words: what stands there holds control characters.': '内容：含有无法打印的字符',
  'household: what stands there was a long number that a spreadsheet shortened.': '户号：长数字被表格软件改短',
  'household: what stands there is no identifier.': '户号：不是编号',
  'area_m2: what stands there is no number from 0.1 to 1,000,000.': '面积（㎡）：不是 0.1 至 1,000,000 的数',
  'floor: what stands there is no whole number from -9 to 200.': '楼层：不是 -9 至 200 的整数',
  'gable: what stands there is neither yes nor no.': '冷山：不是“是”或“否”',
  'billing: what stands there is not known here.': '计费方式：不在可选之列',
  'risers: 40 values in a cell.': '立管：一格中有 40 个值',
  'warranty_until: what stands there is no day between 1950 and 2150.': '保修至：不是 1950 至 2150 年间的日期',
  'at: what stands there is no time.': '时间：不是时间',
  'at: what stands there is too long ago.': '时间：时间过早',
  'at: what stands there lies in the future.': '时间：时间在将来',
  'unpaid_yuan: what stands there is no amount in yuan.': '欠费（元）：不是以元计的金额',
  'billed_fen: what stands there is less than nothing.': '已计（分）：金额为负',
  'season: what stands there is no season.': '采暖期：不是采暖期',
  'shift: what stands there is no shift.': '班次：不是班次',
  'Half of the coordinate is missing.': '经纬度缺一半',
  '0, 0 is in the sea: the place was not known.': '0, 0 在海上，说明地点当时不明',
  'The coordinate has no datum.': '坐标没有注明坐标系',
  'Longitude 226.5 and latitude 45.7 are no place on Earth.': '经度 226.5、纬度 45.7 不在地球上',
  'The outline is no well-known binary in hexadecimal digits.': '轮廓不是十六进制的 WKB',
  'unpaid is told in yuan and in fen, and they differ.': '欠费的元与分两栏不一致',
  'An amount is billed, but not on which basis.': '有已计金额而没有计费方式',
  'Row 5 has the same household already; that row was read.': '第 5 行已有同一户号，以该行为准',
  'The row cannot be read: unexpected end of data.': '此行无法读取',
  'The row has no household, unit.': '此行缺户号、单元',
  'The row names no building and no address.': '此行既无楼栋编号也无地址',
  'The row names no household and no building.': '此行既无户号也无楼栋编号',
  'The row names no place.': '此行没有地点',
  'A new household needs unit, flat.': '新的住户须有单元、室号',
  'A new crew needs trades.': '新的班组须有工种',
  'A new substation needs name.': '新的换热站须有名称',
  'There is no building nowhere.': '楼栋 nowhere 不在册',
  'There is no household 2000000001.': '户号 2000000001 不在册',
  'There is no riser L-2-R9.': '立管 L-2-R9 不在册',
  'There is no substation HX99.': '换热站 HX99 不在册',
  'There is no community 新里.': '小区 新里 不在册',
  'There is no node N1.': '编号 N1 不在册',
  'Household 1000000012 is in building B1, not in B2.': '户号 1000000012 在楼栋 B1，不在 B2',
  'Household 1000000012 is at the same door.': '户号 1000000012 在同一扇门',
  'The address leads to no one building (nothing_known).': '此地址不能确定到一栋楼',
  'A person said that there is no such door.': '已由人认定查无此门',
  'P1 is a plant, no substation.': 'P1 是热源厂，不是换热站',
  'A circuit hangs below another node.': '回路须挂在上级之下',
  'A plant cannot hang below a riser.': '热源厂不能挂在立管之下',
  'N1 hangs below itself.': 'N1 挂在自己之下',
  'pump is no kind of node.': '没有“pump”这一类别',
  'Its parent was refused.': '其上级未被收下',
};

const TO_DO = [
  'Correct it, without a unit.', 'Correct it.', 'Shorten it to 200.', 'Give 16 at most.', 'Remove them.', 'Remove line breaks.',
  'Format the column as text, fill it anew, and save it again.', 'Write 是 or 否.', 'Take one of full, base, none.', 'Write it as 2026-01-14 09:30.',
  'Correct the time.', 'Write 0 where nothing is owed; credit balances are not kept here.', 'Leave one of them empty.', 'Leave it empty.',
  'Give both halves.', 'Fill in the place, or leave it empty.', 'Fill in the place.', 'Say wgs84 or cgcs2000.',
  'Name it wgs84 or cgcs2000, in degrees; or a zone of CGCS2000 as epsg:4491 to epsg:4554, in metres.',
  'Send wgs84 or cgcs2000; or the installer sets HEATOPS_GCJ02=1.', 'Send degrees, lon -180..180 and lat -90..90.',
  "Send easting as lon and northing as lat, in metres, with the zone's number.", 'Fill in billing: full, base or none.', 'Keep one of the two rows.',
  'Check quotes and separators.', 'Fill in these cells.', 'Fill in these columns.', 'Fill in this column.', 'Fill in one of them.',
  "Fill in the building's number or the address.", 'Fill in household, building, address, or lon, lat and datum.',
  'Check the number, or import the heat tree with its buildings first.', 'Check the number, or import the heat tree first.',
  'Check the number, or import the households first.', 'Check the number, or give the substation a row of its own.',
  'Check the number, or give the parent a row of its own.', 'Check number or name, or give the community a row of its own.',
  'Correct one of the two.', "Correct the address, or give the building's number.",
  "Answer it in the queue of addresses and import the file again, or give the building's number.",
  'If one of the two has moved out, give it no door here.', 'A building hangs on the substation that feeds it.',
  'Fill in the number of its parent.', 'Correct kind or parent.', 'Correct the parent.', "Correct the parent's row.",
];

describe('a refused row', () => {
  it.each(Object.entries(DETAILS))('%s', (text, said) => {
    expect(detailText(text, 'zh')).toBe(said);
    expect(detailText(text, 'en')).toBe(text);
  });

  it.each(TO_DO)('%s', (text) => {
    expect(toDoText(text, 'zh')).toMatch(/[\u4e00-\u9fff].*。$/);
    expect(toDoText(text, 'en')).toBe(text);
  });

  it('keeps what is to be chosen from, and how much', () => {
    expect(toDoText('Take one of full, base, none.', 'zh')).toBe('请填以下之一：full、base、none。');
    expect(toDoText('Shorten it to 200.', 'zh')).toBe('缩短到 200 字以内。');
    expect(toDoText('Write it as 06:00-18:00.', 'zh')).toBe('请写成 06:00-18:00 的样子。');
  });

  it('shows as it stands what it does not know', () => {
    expect(detailText('a text of a later version', 'zh')).toBe('a text of a later version');
    expect(toDoText('Ask somebody.', 'zh')).toBe('Ask somebody.');
  });
});
