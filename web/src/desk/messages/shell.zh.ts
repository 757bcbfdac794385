// The words of the desk's top, in Chinese; shell.en.ts must have the same keys or nothing builds.
export const zh = {
  page: '调度台',
  views: '视图',
  viewDispatch: '调度',
  viewEvidence: '照片核验',
  viewHandover: '交接班',
  viewReport: '早会报告',
  viewPhones: '班组手机',
  wall: '大屏',
  intake: '受理台',
  role: { administrator: '管理员', manager: '值班经理', seat: '坐席', wall: '大屏' } as Record<string, string>,
  reds: '红',
  near: '15 分内到期',
  overdue: '超时',
  photosWait: (n: string) => `${n} 张工单的照片待人工核验`,
  freeCrews: '空闲班组',
  lost: (duration: string) => `连不上服务器，已 ${duration}；所示为断线前的画面，正在重连。`,
  signedOut: '登录已失效，画面不再更新。',
  viewBroken: '此视图未能载入，请检查网络后重新加载页面。',
  roleNeeded: '此账号不能使用调度台',
  roleNeededWhy: (user: string) => `调度台只对坐席、值班经理和管理员开放；账号“${user}”不在其列。`,
};
export type ShellWords = typeof zh;
