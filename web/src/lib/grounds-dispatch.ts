// The grounds of dispatch as the server writes them in English, in Chinese: why this crew, what it cost, what was agreed.
import { zh as codes } from '../desk/messages/codes.zh';
import { word } from './i18n.svelte';
import { zh } from './messages/zh';

const minutes = (text: string): string => text.replace(/(\d+) min/g, '$1 分');

/** One part of the sentence that says why a crew was proposed. */
const PARTS: [RegExp, (...parts: string[]) => string][] = [
  [/^(\d+) min$/, (n) => `${n} 分后开工`],
  [/^(\d+(?:\.\d+)?) km$/, (n) => `路程 ${n} km`],
  [/^(plant|primary|substation|secondary|indoor)$/, (trade) => word(codes.trade, trade)],
  [/^(\d+) visits? to this building$/, (n) => `来过本楼 ${n} 次`],
  [/^(\d+) of (\d+) pieces on the van$/, (have, need) => `车上有料 ${have} / ${need} 件`],
  [/^by way of store (\S+)$/, (store) => `经仓库 ${store} 取料`],
  [/^(\d+(?:\.\d+)?) degree-hours an hour below 18 degC$/, (n) => `每时 ${n} °C·h（低于 18 °C）`],
  [/^last heard of (\d+) min ago$/, (n) => `${n} 分前定位`],
  [/^together with (\S+)$/, (crew) => `与 ${crew} 同时开工`],
  [/^(\d+) tickets? displaced$/, (n) => `${n} 张工单让单`],
  [/^(\d+) other tickets? late$/, (n) => `另有 ${n} 张超时`],
  [/^(\d+) min after its clock$/, (n) => `本单超时 ${n} 分`],
  [/^no ticket late$/, () => '无工单超时'],
  [/^at the same time$/, () => '时间相同'],
  [/^(\d+) min later$/, (n) => `晚 ${n} 分`],
  [/^(\d+) min sooner$/, (n) => `早 ${n} 分`],
];

function part(text: string): string {
  for (const [pattern, say] of PARTS) {
    const found = pattern.exec(text);
    if (found) return say(...found.slice(1));
  }
  return minutes(text);
}

const sentence = (text: string): string => text.split(', ').map(part).join('，');

function why(text: string): string {
  const able = /^(?:the only able crew|best of (\d+) able crews): (.+)$/.exec(text);
  if (able) return `${able[1] === undefined ? '唯一可派班组' : `${able[1]} 个可派班组中最佳`}：${sentence(able[2] ?? '')}`;
  const instead = /^(.+) instead of (.+?): (.+)$/.exec(text);
  if (instead) return `改派 ${instead[1]}，不派 ${instead[2]}：${sentence(instead[3] ?? '')}`;
  return sentence(text);
}

const behind = (gone: string | undefined, reason: string | undefined): string =>
  `${gone === undefined ? '' : `；${gone} 张工单让单`}${reason === undefined ? '' : `；原因：${word(codes.why, reason)}`}`;

/** What a person said of the work. */
const GIVEN: Record<string, string> = {
  trade: '工种', owner: '责任归属', certificates: '证书', permits: '作业票', skill: '技能', minutes: '用时', crews: '班组数',
  parts: '配件', vehicle: '车辆装备', home_visit: '入户', equipment: '设备',
};
const DISPLACED: Record<string, string> = { red: '为红单让路', crew_stopped: '班组停用', by_hand: '由人决定' };

export const DISPATCH_ALWAYS: Record<string, string> = {
  'a visit agreed': '已约定上门',
  'the visit called off': '取消预约',
  'the parts are there': '料已到',
  'the lock is off': '解除锁定',
  'whether a crew can be proposed': '是否有班组可派',
  'a red ticket without a crew to propose': '红单无班组可派',
  'the stop was over': '停用期满',
  'the store was entered': '仓库入册',
  'the store was counted': '仓库盘点',
};

export const DISPATCH_WITH: [RegExp, (...parts: string[]) => string][] = [
  [
    /^assigned by hand, not scored; reason: (\w+(?: assignment)?)(?:; (\d+) tickets give way)?$/,
    (reason = '', gone) =>
      `人工派工，未评分；${reason === 'first assignment' ? '首次派工' : `原因：${word(codes.why, reason)}`}${behind(gone, undefined)}`,
  ],
  [
    /^(?:proposal (\d+) of (\d+)|not proposed), confirmed by policy (\S+) .*?: (\d+) min before its clock, (.+)$/,
    (rank, of, policy, n, text) => `第 ${rank} 建议（共 ${of}），按规则 ${policy} 自动确认：时限前 ${n} 分，${why(text ?? '')}`,
  ],
  [
    /^(?:proposal (\d+) of (\d+)|not proposed): (.+?)(?:; (\d+) tickets give way)?(?:; reason: (\w+))?$/,
    (rank, of, text, gone, reason) =>
      `${rank === undefined ? '未列入建议' : `第 ${rank} 建议（共 ${of}）`}：${why(text ?? '')}${behind(gone, reason)}`,
  ],
  [/^work said: (.+)$/, (given) => `工作要求：${(given ?? '').split(', ').map((one) => word(GIVEN, one)).join('、')}`],
  [/^waits for parts, (?:kept in store (\S+)|on order)$/, (store) => (store === undefined ? '待料，订货中' : `待料，已在仓库 ${store} 留料`)],
  [/^locked to (.+?)(, its start too)?$/, (crew, start) => `锁定给 ${crew}${start === undefined ? '' : '，并锁定开始时间'}`],
  [/^taken from its crew by hand; reason: (\w+)$/, (reason) => `人工收回：${word(DISPLACED, reason ?? '')}`],
  [/^permit (\w+) written$/, (permit) => `已开${word(codes.permit, permit ?? '')}`],
  [/^the deadline of the clock (\w+) has passed$/, (clock) => `${word(zh.clock, clock ?? '')}时限已过`],
  [/^taken from store (\S+)(?: for ticket (\S+))?$/, (store, ticket) => `从仓库 ${store} 领料${ticket === undefined ? '' : `，用于 ${ticket}`}`],
];
