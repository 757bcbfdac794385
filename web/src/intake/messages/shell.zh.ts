// The words of the page's top, in Chinese; shell.en.ts must have the same keys or nothing builds.
export const zh = {
  page: '受理台',
  views: '视图',
  viewCall: '来电',
  viewSuspensions: '报停',
  viewAddresses: '地址',
  viewCases: '案件',
  viewContradictions: '矛盾',
  viewImports: '导入导出',
  viewReminders: '提醒',
  wall: '大屏',
  waiting: (n: string) => `${n} 件待人处理`,
  waitingLate: (n: string, late: string) => `${n} 件待人处理，其中 ${late} 件已超时`,
  lineLost: (since: string) => `连不上服务器，已 ${since}。`,
  lineLostHow: '可以继续录入；已发送而未得答复的会自动重发，不会重复受理。请勿关闭本页。',
  signedOut: '登录已失效：已录入的内容都在，重新登录后继续。',
  unsent: (n: string) => `${n} 件待补发`,
  viewBroken: '此视图未能载入，请检查网络后重新加载页面；已录入的内容不会丢失。',
  roleNeeded: '此账号不能使用受理台',
  roleNeededWhy: (user: string) => `受理台显示住户的姓名和电话，只对坐席、值班经理和管理员开放；账号“${user}”不在其列。`,
  roleNeededHow: '请用有权限的账号登录，或请管理员调整此账号的角色。',
};
export type ShellWords = typeof zh;
