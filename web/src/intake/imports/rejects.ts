// Why a row was refused and what to do. The server writes both in English; here are the same texts in Chinese, and
// one that is not known is shown as it stands.
import { word, type Language } from '../../lib/i18n.svelte';
import { zh } from '../messages/imports.zh';

const NODES: Record<string, string> = {
  community: '小区',
  plant: '热源厂',
  primary: '一次网',
  substation: '换热站',
  circuit: '回路',
  building: '楼栋',
  entrance: '楼栋入口',
  unit: '单元',
  riser: '立管',
};
const AMOUNTS: Record<string, string> = { unpaid: '欠费', billed: '已计金额' };

const field = (name: string): string => word(zh.field, name);
const fields = (list: string): string => list.split(', ').map(field).join('、');
const node = (kind: string): string => word(NODES, kind);

const DETAILS: [RegExp, (...parts: string[]) => string][] = [
  [/^(\w+): (.+)$/s, (name, rest) => `${field(name)}：${detailText(rest, 'zh')}`],
  [/^what stands there has (.+) characters\.$/, (n) => `有 ${n} 个字`],
  [/^what stands there holds control characters\.$/, () => '含有无法打印的字符'],
  [/^what stands there was a long number that a spreadsheet shortened\.$/, () => '长数字被表格软件改短'],
  [/^what stands there is no identifier\.$/, () => '不是编号'],
  [/^what stands there is no (whole )?number from (.+) to (.+)\.$/, (whole, low, high) => `不是 ${low} 至 ${high} 的${whole ? '整数' : '数'}`],
  [/^what stands there is neither yes nor no\.$/, () => '不是“是”或“否”'],
  [/^what stands there is not known here\.$/, () => '不在可选之列'],
  [/^(\d+) values in a cell\.$/, (n) => `一格中有 ${n} 个值`],
  [/^what stands there is no day between (\d+) and (\d+)\.$/, (from, to) => `不是 ${from} 至 ${to} 年间的日期`],
  [/^what stands there is no time\.$/, () => '不是时间'],
  [/^what stands there is too long ago\.$/, () => '时间过早'],
  [/^what stands there lies in the future\.$/, () => '时间在将来'],
  [/^what stands there is no amount in (yuan|fen)\.$/, (unit) => `不是以${unit === 'yuan' ? '元' : '分'}计的金额`],
  [/^what stands there is less than nothing\.$/, () => '金额为负'],
  [/^what stands there is no season\.$/, () => '不是采暖期'],
  [/^what stands there is no shift\.$/, () => '不是班次'],
  [/^Half of the coordinate is missing\.$/, () => '经纬度缺一半'],
  [/^0, 0 is in the sea: the place was not known\.$/, () => '0, 0 在海上，说明地点当时不明'],
  [/^The coordinate has no datum\.$/, () => '坐标没有注明坐标系'],
  [/^Longitude (\S+) and latitude (\S+) are no place on Earth\.$/, (lon, lat) => `经度 ${lon}、纬度 ${lat} 不在地球上`],
  [/^The outline is no well-known binary in hexadecimal digits\.$/, () => '轮廓不是十六进制的 WKB'],
  [/^(\w+) is told in yuan and in fen, and they differ\.$/, (amount) => `${word(AMOUNTS, amount)}的元与分两栏不一致`],
  [/^An amount is billed, but not on which basis\.$/, () => '有已计金额而没有计费方式'],
  [/^Row (\d+) has the same (\w+) already; that row was read\.$/, (row, name) => `第 ${row} 行已有同一${field(name)}，以该行为准`],
  [/^The (?:row|line) cannot be read: .+$/, () => '此行无法读取'],
  [/^The row has no (.+)\.$/, (list) => `此行缺${fields(list)}`],
  [/^The row names no building and no address\.$/, () => '此行既无楼栋编号也无地址'],
  [/^The row names no household and no building\.$/, () => '此行既无户号也无楼栋编号'],
  [/^The row names no place\.$/, () => '此行没有地点'],
  [/^A new (\w+) needs (.+)\.$/, (kind, list) => `新的${{ household: '住户', crew: '班组' }[kind] ?? node(kind)}须有${fields(list)}`],
  [/^There is no (building|household|riser|substation|community|node) (.+)\.$/, (kind, id) =>
    `${{ household: '户号', node: '编号' }[kind] ?? node(kind)} ${id} 不在册`],
  [/^Household (\S+) is in building (\S+), not in (\S+)\.$/, (home, is, said) => `户号 ${home} 在楼栋 ${is}，不在 ${said}`],
  [/^Household (\S+) is at the same door\.$/, (home) => `户号 ${home} 在同一扇门`],
  [/^The address leads to no one building \(.*\)\.$/, () => '此地址不能确定到一栋楼'],
  [/^A person said that there is no such door\.$/, () => '已由人认定查无此门'],
  [/^(\S+) is an? (\w+), no substation\.$/, (id, kind) => `${id} 是${node(kind)}，不是换热站`],
  [/^An? (\w+) hangs below another node\.$/, (kind) => `${node(kind)}须挂在上级之下`],
  [/^An? (\w+) cannot hang below an? (\w+)\.$/, (kind, above) => `${node(kind)}不能挂在${node(above)}之下`],
  [/^(\S+) hangs below itself\.$/, (id) => `${id} 挂在自己之下`],
  [/^(\S+) is no kind of node\.$/, (kind) => `没有“${kind}”这一类别`],
  [/^Its parent was refused\.$/, () => '其上级未被收下'],
];

const TO_DO: [RegExp, (...parts: string[]) => string][] = [
  [/^Correct it(, without a unit)?\.$/, (unit) => (unit ? '改正，只写数字不带单位。' : '请改正。')],
  [/^Shorten it to (.+)\.$/, (n) => `缩短到 ${n} 字以内。`],
  [/^Give (\d+) at most\.$/, (n) => `至多填 ${n} 个。`],
  [/^Remove them\.$/, () => '删去这些字符。'],
  [/^Remove line breaks\.$/, () => '删去换行。'],
  [/^Format the column as text, fill it anew, and save it again\.$/, () => '把此栏设为文本格式，重新填写后再保存。'],
  [/^Write 是 or 否\.$/, () => '请写“是”或“否”。'],
  [/^Take one of (.+)\.$/, (list) => `请填以下之一：${list.split(', ').join('、')}。`],
  [/^Write it as (.+)\.$/, (sample) => `请写成 ${sample} 的样子。`],
  [/^Correct the time\.$/, () => '改正时间。'],
  [/^Write 0 where nothing is owed; credit balances are not kept here\.$/, () => '没有欠费请写 0；此处不记预存余额。'],
  [/^Leave one of them empty\.$/, () => '两栏只填一栏。'],
  [/^Leave it empty\.$/, () => '请留空。'],
  [/^Give both halves\.$/, () => '经度、纬度都要填。'],
  [/^Fill in the place(, or leave it empty)?\.$/, (empty) => (empty ? '填写地点，或留空。' : '填写地点。')],
  [/^Name it wgs84 or cgcs2000/, () => '注明坐标系：wgs84、cgcs2000（度），或 epsg:4491 至 epsg:4554（米）。'],
  [/^Say wgs84 or cgcs2000\.$/, () => '注明坐标系：wgs84 或 cgcs2000。'],
  [/^Send wgs84 or cgcs2000; or the installer sets HEATOPS_GCJ02=1\.$/, () => '改用 wgs84 或 cgcs2000；或由安装方设置 HEATOPS_GCJ02=1。'],
  [/^Send degrees, lon /, () => '请填度数：经度 -180 至 180，纬度 -90 至 90。'],
  [/^Send easting as lon and northing as lat/, () => '经度栏填横坐标，纬度栏填纵坐标，单位米，并注明带号。'],
  [/^Fill in billing: full, base or none\.$/, () => '填写计费方式：full（全额）、base（基础热费）或 none（不计）。'],
  [/^Keep one of the two rows\.$/, () => '两行只留一行。'],
  [/^Check quotes and separators\.$/, () => '检查引号和分隔符。'],
  [/^Fill in (?:these cells|these columns|this column)\.$/, () => '请补填。'],
  [/^Fill in one of them\.$/, () => '至少填一项。'],
  [/^Fill in the building's number or the address\.$/, () => '填写楼栋编号或地址。'],
  [/^Fill in household, building, address, or lon, lat and datum\.$/, () => '填写户号、楼栋编号、地址，或经纬度与坐标系。'],
  [/^Check the number, or import the heat tree (?:with its buildings )?first\.$/, () => '核对编号，或先导入热网与楼栋。'],
  [/^Check the number, or import the households first\.$/, () => '核对户号，或先导入住户。'],
  [/^Check (?:the number|number or name), or give the (?:substation|parent|community) a row of its own\.$/, () => '核对编号，或为其另加一行。'],
  [/^Correct one of the two\.$/, () => '改正其中之一。'],
  [/^Correct the address, or give the building's number\.$/, () => '改正地址，或填写楼栋编号。'],
  [/^Answer it in the queue of addresses and import the file again, or give the building's number\.$/, () => '在“地址”中认定后重新导入此文件，或填写楼栋编号。'],
  [/^If one of the two has moved out, give it no door here\.$/, () => '若其中一户已迁出，请不填其楼栋与室号。'],
  [/^A building hangs on the substation that feeds it\.$/, () => '楼栋须挂在为其供热的换热站之下。'],
  [/^Fill in the number of its parent\.$/, () => '填写上级编号。'],
  [/^Correct kind or parent\.$/, () => '改正类别或上级。'],
  [/^Correct the parent\.$/, () => '改正上级。'],
  [/^Correct the parent's row\.$/, () => '改正上级所在的行。'],
];

function chinese(text: string, known: [RegExp, (...parts: string[]) => string][]): string {
  for (const [pattern, say] of known) {
    const found = pattern.exec(text);
    if (found) return say(...found.slice(1));
  }
  return text;
}

/** What stands in the row that it is refused for. */
export function detailText(text: string, language: Language): string {
  return language === 'zh' ? chinese(text, DETAILS) : text;
}

/** How the row is mended. */
export function toDoText(text: string, language: Language): string {
  return language === 'zh' ? chinese(text, TO_DO) : text;
}
