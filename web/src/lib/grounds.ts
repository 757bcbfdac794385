// On what grounds a step was taken. The server writes it in English; here are the same texts in Chinese, and one
// that is not known is shown as it stands.
import { reasonText } from '../intake/reasons';
import { zh as codes } from '../intake/messages/codes.zh';
import { zh as suspensions } from '../intake/messages/suspensions.zh';
import { DISPATCH_ALWAYS, DISPATCH_WITH } from './grounds-dispatch';
import { word, type Language } from './i18n.svelte';
import { zh } from './messages/zh';

/** Why a person changed something, by the code of the command. */
const WHY: Record<string, string> = {
  'first assignment': '首次派工',
  crew_unavailable: '班组无法到场',
  wrong_trade: '工种不符',
  nearer_crew: '另有更近的班组',
  higher_priority: '该班组另有急单',
  no_answer: '班组无应答',
  duplicate: '重复',
  wrong_address: '地址有误',
  not_ours: '非本公司管辖',
  caller_withdrew: '来电人撤回',
  outage_ended: '已复热',
  test: '测试',
  dissatisfied: '用户不满意',
  fault_returned: '故障复发',
  closed_by_mistake: '误闭环',
  danger: '危险',
  vulnerable_household: '绿色通道住户',
  many_reports: '多次来电',
  repeated_fault: '7 日内同一故障',
  less_severe: '情况较轻',
  misheard: '受理时听错',
  found_on_site: '现场查明',
  caller_corrected: '来电人更正',
  other: '其他',
};

const ALWAYS: Record<string, string> = {
  'a clock reached its time': '时限已到',
  'a person found the door': '由人认定地址',
  'another end is expected': '预计恢复时间有变',
  'approved applications on the same riser': '同一立管上已批准的申请',
  'call-back: nobody reached': '回访：未联系到用户',
  'call-back: the resident is satisfied': '回访：用户满意',
  'counted from the records of its messages': '据其消息记录统计',
  'first contact made': '已首联',
  'heat is back': '已复热',
  'heated households without an application': '在供且未申请的住户',
  'mentions of the last three hours': '近 3 小时的提及',
  'no position for too long, or one again': '定位中断或恢复',
  'replied to the origin': '已答复来源方',
  'room reading against its bound': '室温读数与下限比对',
  'round of the arrears map': '欠费图定期更新',
  'signed for': '已签收',
  'started by hand': '人工发起',
  'the application ended': '申请已了结',
  'the citizen was spoken to': '已与市民通话',
  'the crew checked in on site': '班组到场签入',
  'the crew finished and checked out': '班组完工签出',
  'the crew took the ticket': '班组接单',
  "the crew's data in the register": '登记册中的班组资料',
  'the origin took the reply': '来源方已接受答复',
  'the same case again': '同一案件重复送达',
  'the shift began': '上班',
  'the shift ended': '下班',
  'the shift of the register': '登记册所定班次',
};

const level = (code: string): string => `${word(zh.level, code)}级`;
/** A case comes in by the name of its origin. */
const source = (code: string): string => codes.source[code] ?? word(codes.origin, code);
const reasons = (list: string): string =>
  list
    .split(', ')
    .map((code) => reasonText(code, '', codes))
    .join('、');
const checks = (list: string): string =>
  list
    .split(', ')
    .map((code) => word(codes.check, code))
    .join('、');
const state = (code: string): string => word(codes.applicationState, code);

/** Texts with something in them; the first that fits says what. */
const WITH: [RegExp, (...parts: string[]) => string][] = [
  [/^(?:(.+); )?case (\S+)$/, (rest, origin) => `${rest ? `${chinese(rest)}；` : ''}案件来源 ${word(codes.origin, origin)}`],
  [/^taken in by (\S+); level (\w+): (.+)$/, (by, now, why) => `${source(by)}受理，${level(now)}：${reasons(why)}`],
  [
    /^reported again by (\S+?)(, the same call sent again)?(?:; (.+) raises it to (\w+))?$/,
    (by, twice, said, now) =>
      `${source(by)}再次来报${twice ? '（同一请求重复送达）' : ''}${now ? `，${reasons(said)}，升为${level(now)}` : ''}`,
  ],
  [/^(\S+) is the same piece of work as (\S+)$/, (one, into) => `${one} 与 ${into} 是同一件事`],
  [/^assigned by hand; reason: (.+)$/, (why) => `人工派工：${word(WHY, why)}`],
  [/^reason: (\w+)$/, (why) => `原因：${word(WHY, why)}`],
  [/^level (\w+): (\w+)$/, (now, why) => `改为${level(now)}：${word(WHY, why)}`],
  [/^kind (\w+): (\w+)$/, (kind, why) => `改为${word(zh.kind, kind)}：${word(WHY, why)}`],
  [/^owned by (?:person:)?(.+)$/, (who) => `首接负责人 ${who}`],
  [/^(\d+) photos$/, (n) => `照片 ${n} 张`],
  [/^opened by hand; cause: (\w+)$/, (cause) => `人工登记，原因：${word(zh.cause, cause)}`],
  [/^extension (\d+), for a reason$/, (n) => `第 ${n} 次延期，已注明理由`],
  [/^returned by the origin for the (\d+)\. time$/, (n) => `来源方第 ${n} 次退回`],
  [/^message (\d+)$/, (n) => `消息 ${n}`],
  [/^by policy: (\w+); against it: (.+)$/, (now, why) => `按政策：${state(now)}${why === 'nothing' ? '' : `；不符或不明：${checks(why)}`}`],
  [/^the same application again, (\d+) times now: (\w+)$/, (n, now) => `同一申请再次提交，共 ${n} 次：${state(now)}`],
  [/^visit (\S+)$/, (id) => suspensions.visitIs(id)],
  [/^delivered to (\w+)$/, (to) => `已送达${word(suspensions.department, to)}`],
  // Who it was stands beside it already.
  [/^\w+:.+: (\d+) results of the visit$/, (n) => `上门结果 ${n} 户`],
  [/^\w+:.+: (referred|approved|refused|withdrawn|completed|closed)$/, state],
  [/^(\d+) days before the deadline (\S+)$/, (n, day) => `截止日 ${day} 前 ${n} 天`],
];

function chinese(text: string): string {
  const always = ALWAYS[text] ?? DISPATCH_ALWAYS[text];
  if (always !== undefined) return always;
  for (const [pattern, say] of [...WITH, ...DISPATCH_WITH]) {
    const found = pattern.exec(text);
    if (found) return say(...found.slice(1));
  }
  return text;
}

/** The grounds of a step in the viewer's language. */
export const groundsText = (text: string, language: Language): string => (language === 'zh' ? chinese(text) : text);
