// The words of the resident's page, in Chinese; words.en.ts must have the same keys or nothing builds.
import type { Step } from './types';

export const zh = {
  title: '维修进度',
  kindOf: (kind: string) => `${kind}报修`,
  steps: { accept: '已受理', dispatch: '已安排班组', handle: '上门处理', verify: '回访', close: '已办结' } satisfies Record<Step, string>,
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
  distance: (text: string) => `班组距您约 ${text}`,
  metres: (n: string) => `${n} 米`,
  kilometres: (n: string) => `${n} 公里`,
  window: '预计到达',
  between: (from: string, until: string) => `${from}–${until}`,
  waits: { parts: '正在等待配件，到货后立即上门。', appointment: '已按您预约的时间安排上门。' } as Record<string, string>,
  updated: (time: string) => `${time} 更新`,
  stale: (time: string) => `暂时连不上，以下是 ${time} 的情况`,
  gone: '此链接已失效',
  goneWhy: '报修办结一天后链接即失效；如仍有问题，请致电供热服务热线。',
  busy: '查询过于频繁，请稍后再看。',
  loading: '正在查询…',
  unreachable: '暂时连不上，请稍后再看。',
  privacy: '此页不显示您的姓名、电话和地址。',
};
export type Words = typeof zh;
