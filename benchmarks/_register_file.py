"""A seeded file of households as a billing system writes it: Chinese columns, owners, all kinds of
cells."""

from __future__ import annotations

import csv
import random
from pathlib import Path

from benchmarks._stack import BUILDINGS

HEADER = (
    "户号", "楼栋编号", "单元", "楼层", "房号", "建筑面积(㎡)", "供热面积", "冷山", "户阀",
    "绿色通道", "质保期至", "业主姓名", "联系电话", "身份证号", "备注",
)  # fmt: skip
SURNAMES, GIVEN = "王李张刘陈杨赵黄周吴", "伟芳娜敏静强磊军洋勇艳杰"


def write_households(path: Path, count: int, seed: int = 1) -> None:
    """`count` households in the benchmark's buildings; 5 % of the owners have two."""
    rng = random.Random(seed)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(count):
            place = n // BUILDINGS
            floor, area = place // 12 + 1, round(rng.gauss(75, 18), 1)
            owner = n if rng.random() > 0.05 else rng.randrange(n + 1)
            out.writerow(
                (f"20{n:08d}", f"B-{n % BUILDINGS:04d}", f"{place % 4 + 1}单元", floor,
                 f"{floor}{place % 12 // 4 + 1:02d}", max(20.0, area), round(area * 0.8, 1),
                 "是" if n % 8 == 0 else "否", "有" if rng.random() < 0.6 else "无",
                 "是" if rng.random() < 0.04 else "", "2027-10-31" if n % 5 == 0 else "",
                 rng.choice(SURNAMES) + rng.choice(GIVEN) + rng.choice(GIVEN),
                 f"1000{owner:07d}", f"2301{owner:014d}", "")
            )  # fmt: skip
