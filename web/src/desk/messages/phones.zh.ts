// The words of the crews' phones, in Chinese; phones.en.ts must have the same keys or nothing builds.
export const zh = {
  find: '查找班组',
  noCrew: '没有这样的班组。',
  choose: '从左侧选择班组，可发登录码、查看和停用手机。',
  give: '发登录码',
  goodFor: (time: string) => `${time}内有效，只能用一次`,
  howTo: (where: string) => `用班组手机打开 ${where} ，进入班组端后输入此码。新码一发，旧码作废。`,
  phones: '手机',
  since: (at: string, who: string) => `${at} 登录，发码人 ${who}`,
  ended: (at: string, who: string) => `${at} 由 ${who} 停用`,
  over: '登录已结束',
  out: '已停用',
  revoke: '停用',
  revokeSure: '确认停用此手机',
  none: '还没有手机登录过。',
};
export type PhoneWords = typeof zh;
