// The words of the resident's page, in Chinese; words.en.ts must have the same keys or nothing builds.
import type { Step } from './types';

export const zh = {
  title: '维修进度',
  kindOf: (kind: string) => `事项：${kind}`,
  steps: { accept: '受理', dispatch: '安排班组', handle: '上门处理', verify: '回访', close: '办结' } satisfies Record<Step, string>,
  now: {
    received: '已收到您的报修，正在核实。',
    accepted: '正在为您安排维修班组。',
    dispatched: '已安排班组，等待班组出发。',
    confirmed: '班组正在赶来。',
    handling: '班组已到现场，正在处理。',
    verifying: '班组已完工，客服将回访您。',
    closed: '本次报修已办结，感谢您的配合。',
    cancelled: '本次报修已结束。',
  } as Record<string, string>,
  waiting: { parts: '正在等待配件。', appointment: '已按您的时间约好上门。' } as Record<string, string>,
  distance: (text: string) => `班组距您约 ${text}（直线）`,
  metres: (n: string) => `${n} 米`,
  kilometres: (n: string) => `${n} 公里`,
  window: '预计到达',
  planned: '原定到达',
  later: '已过预计时间，班组会尽快到达。',
  between: (from: string, until: string) => `${from}–${until}`,
  since: (time: string) => `${time} 起`,
  waitsParts: '配件到货后，我们立即安排上门。',
  updated: (time: string) => `${time} 更新`,
  stale: (time: string) => `暂时连不上，以下是 ${time} 的情况`,
  gone: '此链接已失效',
  goneWhy: '报修办结一天后链接即失效；如仍有问题，请致电供热服务热线。',
  busy: '查询过于频繁，一分钟后再看。',
  loading: '正在查询…',
  unreachable: '暂时连不上，正在重试…',
  privacy: '此页不显示您的姓名、电话和地址。',
};
export type Words = typeof zh;
