// Every text that the server writes as grounds of a step has its Chinese; a code inside it has its word.
import { describe, expect, it, vi } from 'vitest';
import { groundsText } from '../src/lib/grounds';

// The words ask the page for its language as soon as they are read.
vi.hoisted(() => {
  vi.stubGlobal('location', { search: '' });
  vi.stubGlobal('localStorage', { getItem: () => null });
});

const zh = (text: string): string => groundsText(text, 'zh');

const KNOWN: Record<string, string> = {
  // Requests
  'taken in by phone; level red: danger:跑水, kind_given, household:green_channel':
    '电话受理，红级：危险词“跑水”、类别由人判定、绿色通道住户',
  'taken in by app; level yellow: kind:不热, history:2, reports:5': '应用受理，黄级：提到“不热”、7 日内同一故障 2 次、第 5 次来电',
  'taken in by counter; level blue: as_given, proposed:red, kind_unheard': '柜台受理，蓝级：级别由人判定、系统建议红级、未听出类别',
  'taken in by control_room; level red: as_given, proposed:blue, kind_given': '调度室受理，红级：级别由人判定、系统建议蓝级、类别由人判定',
  'taken in by wechat; level blue: kind_of_request': '微信受理，蓝级：按类别的常级',
  'taken in by 12345; level blue: kind:冰凉, outage:O-7': '12345受理，蓝级：提到“冰凉”、停热 O-7 所致',
  'taken in by hotline_12345; level red: kind_given; case hotline_12345': '12345受理，红级：类别由人判定；案件来源 12345',
  'reported again by phone': '电话再次来报',
  'reported again by phone, the same call sent again': '电话再次来报（同一请求重复送达）',
  'reported again by property_firm; reports:5 raises it to yellow': '物业再次来报，第 5 次来电，升为黄级',
  'reported again by app; as_given raises it to red': '应用再次来报，级别由人判定，升为红级',
  'reported again by app, the same call sent again; danger:烫伤 raises it to red':
    '应用再次来报（同一请求重复送达），危险词“烫伤”，升为红级',
  'reported again by property_firm; case property_firm': '物业再次来报；案件来源 物业',
  // Tickets
  'first contact made': '已首联',
  'assigned by hand; reason: first assignment': '人工派工：首次派工',
  'assigned by hand; reason: crew_unavailable': '人工派工：班组无法到场',
  'assigned by hand; reason: wrong_trade': '人工派工：工种不符',
  'assigned by hand; reason: nearer_crew': '人工派工：另有更近的班组',
  'assigned by hand; reason: higher_priority': '人工派工：该班组另有急单',
  'assigned by hand; reason: no_answer': '人工派工：班组无应答',
  'assigned by hand; reason: other': '人工派工：其他',
  'the crew took the ticket': '班组接单',
  'the crew checked in on site': '班组到场签入',
  'the crew finished and checked out': '班组完工签出',
  'call-back: the resident is satisfied': '回访：用户满意',
  'call-back: nobody reached': '回访：未联系到用户',
  'reason: duplicate': '原因：重复',
  'reason: wrong_address': '原因：地址有误',
  'reason: not_ours': '原因：非本公司管辖',
  'reason: caller_withdrew': '原因：来电人撤回',
  'reason: outage_ended': '原因：已复热',
  'reason: test': '原因：测试',
  'reason: other': '原因：其他',
  'reason: dissatisfied': '原因：用户不满意',
  'reason: fault_returned': '原因：故障复发',
  'reason: closed_by_mistake': '原因：误闭环',
  'level red: danger': '改为红级：危险',
  'level yellow: vulnerable_household': '改为黄级：绿色通道住户',
  'level yellow: many_reports': '改为黄级：多次来电',
  'level red: repeated_fault': '改为红级：7 日内同一故障',
  'level blue: less_severe': '改为蓝级：情况较轻',
  'kind leak: misheard': '改为漏水：受理时听错',
  'kind not_warm: found_on_site': '改为不热：现场查明',
  'kind repair: caller_corrected': '改为报修：来电人更正',
  'owned by person:admin': '首接负责人 admin',
  'owned by 王芳': '首接负责人 王芳',
  '2 photos': '照片 2 张',
  '1 photos': '照片 1 张',
  'a person found the door': '由人认定地址',
  '250927-000012 is the same piece of work as 250927-000009': '250927-000012 与 250927-000009 是同一件事',
  'a clock reached its time': '时限已到',
  // Crews, outages, and what the core watches
  "the crew's data in the register": '登记册中的班组资料',
  'the shift began': '上班',
  'the shift ended': '下班',
  'the shift of the register': '登记册所定班次',
  'no position for too long, or one again': '定位中断或恢复',
  'opened by hand; cause: burst': '人工登记，原因：爆管',
  'opened by hand; cause: planned_work': '人工登记，原因：计划检修',
  'another end is expected': '预计恢复时间有变',
  'heat is back': '已复热',
  'room reading against its bound': '室温读数与下限比对',
  'mentions of the last three hours': '近 3 小时的提及',
  'round of the arrears map': '欠费图定期更新',
  // External cases
  'case hotline_12345': '案件来源 12345',
  'case property_firm': '案件来源 物业',
  'the same case again': '同一案件重复送达',
  'signed for': '已签收',
  'the citizen was spoken to': '已与市民通话',
  'extension 1, for a reason': '第 1 次延期，已注明理由',
  'replied to the origin': '已答复来源方',
  'returned by the origin for the 2. time': '来源方第 2 次退回',
  'the origin took the reply': '来源方已接受答复',
  'message 314': '消息 314',
  // Suspensions
  'by policy: approved; against it: nothing': '按政策：已批准，待上门',
  'by policy: refused; against it: deadline, arrears': '按政策：未批准；不符或不明：截止日期、欠费',
  'by policy: referred; against it: visit_missed': '按政策：待人工审核；不符或不明：三次上门未果',
  'the same application again, 3 times now: referred': '同一申请再次提交，共 3 次：待人工审核',
  'person:admin: refused': '未批准',
  'source:demo: withdrawn': '已撤回',
  'person:李工: completed': '已关阀，待三部门知悉',
  'approved applications on the same riser': '同一立管上已批准的申请',
  'visit V-5-250927-3': '上门单 V-5-250927-3',
  'person:admin: 4 results of the visit': '上门结果 4 户',
  'the application ended': '申请已了结',
  'delivered to service': '已送达客服',
  'delivered to operations': '已送达运行',
  'delivered to finance': '已送达收费',
  // Reminders
  '30 days before the deadline 2025-10-31': '截止日 2025-10-31 前 30 天',
  'started by hand': '人工发起',
  'heated households without an application': '在供且未申请的住户',
  'counted from the records of its messages': '据其消息记录统计',
};

describe('the grounds of a step', () => {
  it.each(Object.entries(KNOWN))('%s', (text, said) => {
    expect(zh(text)).toBe(said);
    expect(groundsText(text, 'en')).toBe(text);
  });

  it.each(['a text of a later version', 'taken in by phone', ''])('shows as it stands what it does not know: %s', (text) => {
    expect(zh(text)).toBe(text);
  });

  it('shows a code it does not know inside a text it does', () => {
    expect(zh('reason: sold')).toBe('原因：sold');
    expect(zh('taken in by drone; level red: danger:跑水')).toBe('drone受理，红级：危险词“跑水”');
  });
});
