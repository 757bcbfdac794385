"""Made-up names of streets, places, people and crews."""

# ruff: noqa: SIM905 - lists of words read better without quotes

from __future__ import annotations

CITY = "暖城市"
COMPANY = "暖城热力"
RIVER = "暖江"
STREAM = "清水沟"
ISLAND = "柳岛"

DISTRICTS = {"jb": "江北区", "db": "道北区", "dn": "道南区"}

SUBURBS = {
    "jb": ["江湾街道", "滨北街道", "松苑街道"],
    "db": ["西桥街道", "中央街道", "埠头街道", "东站街道", "北关街道"],
    "dn": ["和兴街道", "文昌街道", "红旗街道", "南岗子街道", "学府街道", "锦绣街道"],
}

MAIN_STREETS = {
    "ring": "环城路",
    "a1": "建设大街",
    "a2": "和平大街",
    "front": "沿江路",
    "front_n": "江北大道",
    "south": "长安路",
    "stream_w": "水西街",
    "stream_e": "水东街",
    "r0": "中央大街",
    "r1": "经阳街",
    "r2": "纬新街",
    "outer": "哈暖公路",
    "bypass": "绕城高速",
}

_HEAD = (
    "安顺 安康 安平 保健 北安 北新 昌盛 长青 朝阳 承德 春申 大同 丹凤 "
    "东风 东升 敦化 丰收 奉新 福顺 复兴 "
    "富民 高谊 工农 公园 光华 光明 广信 贵新 国庆 海关 汉广 合意 河曲 "
    "和乐 红霞 花园 华山 淮河 辉南 吉林 "
    "嘉陵 建国 健康 江畔 教化 金江 锦州 经纬 景阳 靖宇 康宁 昆仑 兰江 "
    "乐业 黎明 立新 辽河 林兴 岭南 龙江 "
    "庐山 满春 民安 民权 民生 民益 南通 南新 宁安 平房 千山 清滨 清明 "
    "庆丰 泉水 人和 荣光 瑞祥 三江 上游 "
    "胜利 石头 树人 顺迈 松花 太古 泰山 天平 铁岭 通达 通顺 团结 望江 "
    "文林 文景 乌苏 五洲 西宁 霞曼 先锋 "
    "向阳 新华 新民 兴隆 秀水 宣化 烟厂 延福 燎原 益民 永和 友谊 育红 "
    "元和 月亮 云山 增福 振江 正阳 中和"
).split()

COMMUNITIES = (
    "民生家园 阳光花园 江畔人家 北苑新村 和兴小区 锦绣华城 松苑小区 光明里 铁路新村 文昌小区 "
    "碧水庄园 安居苑 红旗小区 康宁家园 学府名邸 春和里 金色水岸 永和新居 育才小区 丰润园 "
    "西桥小区 望江台 福顺家园 新华里 东站小区 建材小区 纺织新村 雅居苑 青年公寓 祥和园 "
    "滨北花园 江湾城 水木小区 长安新里 朝阳小区 兴隆家园 百合苑 工农新村 泰和府 双桥里 "
    "石桥小区 月牙湾 机务段小区 南苑小区 龙凤家园 书香里 万福园 四季花城"
).split()

VILLAGES = (
    "韩家屯 王尖屯 后五棵树 柳条通 孔家窝堡 前腰屯 三棵榆 佟家店 高家崴子 靠山屯 新立屯 榆树林 "
    "沙河子 半拉城"
).split()

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = (
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 "
    "娟 涛 明 超 秀兰 霞 平 刚 桂英 文 建华 玉兰 建国 "
    "春梅 海燕 "
    "志强 晓东 红梅 淑珍 凤英 振国 丽华 国庆 玉梅 长林 永福 秀英 雪松 "
    "冬梅 雨桐 浩然 子轩 思远 佳怡 欣悦"
).split()


def street_names() -> list[str]:
    "Names for lesser streets, none twice."
    numbered = [h + n + "道街" for n in ("头", "二", "三", "四") for h in _HEAD]
    return [h + "街" for h in _HEAD] + [h + "路" for h in _HEAD[::-1]] + numbered


def lane_names() -> list[str]:
    """Names for the lanes of the old town."""
    return [h + "胡同" for h in _HEAD[3:] + _HEAD[:3]]
