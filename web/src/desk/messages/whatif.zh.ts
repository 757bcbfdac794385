// The words of the what-if panel, in Chinese; whatif.en.ts must have the same keys or nothing builds.
export const zh = {
  title: '推演',
  hypothetical: '假设情形，不改变任何计划',
  crewsDown: '停用班组',
  districtsClosed: '封闭片区',
  moreCrews: '增派班组',
  like: (name: string) => `同${name}`,
  howMany: '组数',
  add: '添加…',
  run: '推演',
  running: '推演中…',
  now: '现在',
  then: '推演后',
  change: '变化',
  nobody: '无人',
  unplanned: (n: string) => `无人可接 ${n} 张`,
  changes: (n: string) => `变动 ${n} 张`,
  figure: {
    served: '已排工单（张）',
    unplanned: '未排工单（张）',
    late_red: '红单超时（张）',
    late_yellow: '黄单超时（张）',
    late_blue: '蓝单超时（张）',
    travel_s: '总车程',
  } as Record<string, string>,
};
export type WhatIfWords = typeof zh;
