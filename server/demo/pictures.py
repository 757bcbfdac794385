"""Photos of the demo's crews: pipes, walls and valves drawn anew for each, no two alike."""

from __future__ import annotations

import io
import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 480, 360
QUALITY = 80
_RUST = ((146, 84, 52), (120, 96, 80), (170, 150, 120), (96, 104, 112), (188, 178, 160))


def picture(*name: object) -> bytes:
    """A JPEG of some 40 kB: a plastered wall with pipes, flanges and clutter; the same name gives
    the same picture."""
    dice = random.Random("/".join(map(str, name)))  # noqa: S311 - a picture, no secret
    image = _wall(dice)
    draw = ImageDraw.Draw(image)
    for _ in range(dice.randint(5, 9)):
        _clutter(draw, dice)
    for _ in range(dice.randint(2, 4)):
        _pipe(draw, dice)
    image = image.rotate(dice.uniform(-4, 4), Image.Resampling.BILINEAR, expand=False)
    image = image.crop((20, 20, WIDTH - 20, HEIGHT - 20)).resize((WIDTH, HEIGHT))
    return _jpeg(_grained(image, dice), QUALITY)


def again(photo: bytes, *name: object) -> bytes:
    """The same picture passed off as another: cropped a little, and compressed anew."""
    dice = random.Random("/".join(map(str, name)))  # noqa: S311 - a picture, no secret
    with Image.open(io.BytesIO(photo)) as image:
        left, top = dice.randint(2, 14), dice.randint(2, 12)
        part = image.convert("RGB").crop((left, top, WIDTH - left, HEIGHT - top))
    return _jpeg(part, dice.randint(60, 75))


def _wall(dice: random.Random) -> Image.Image:
    """Light and stains: a few coarse blots, smoothed."""
    size = (dice.randint(6, 11), dice.randint(5, 8))
    shades = np.random.default_rng(dice.getrandbits(60)).integers(60, 215, (*size, 1), np.uint8)
    tint = np.array([dice.randint(0, 22) for _ in range(3)], np.uint8)
    coarse = Image.fromarray(np.repeat(shades, 3, 2) + tint)
    return coarse.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def _pipe(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    """A pipe from edge to edge with its light on one side, flanges and bolts."""
    colour, broad = dice.choice(_RUST), dice.randint(18, 52)
    upright, at = dice.random() < 0.5, dice.uniform(0.1, 0.9)
    lean = dice.randint(-90, 90)
    ends: tuple[tuple[float, float], tuple[float, float]]
    if upright:
        ends = ((at * WIDTH, 0), (at * WIDTH + lean, HEIGHT))
    else:
        ends = ((0, at * HEIGHT), (WIDTH, at * HEIGHT + lean))
    for part in range(6):
        shade = tuple(min(255, round(c * (0.55 + 0.13 * part))) for c in colour)
        draw.line(ends, fill=shade, width=max(2, broad - part * broad // 6))
    (x0, y0), (x1, y1) = ends
    for _ in range(dice.randint(1, 3)):
        t, r = dice.random(), broad * dice.uniform(0.7, 1.1)
        x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
        draw.ellipse((x - r, y - r, x + r, y + r), fill=dice.choice(_RUST), outline=(30, 30, 32))
        for _ in range(dice.randint(3, 7)):
            bx, by = x + dice.uniform(-r, r) * 0.7, y + dice.uniform(-r, r) * 0.7
            draw.ellipse((bx - 4, by - 4, bx + 4, by + 4), fill=(40, 40, 44))


def _clutter(draw: ImageDraw.ImageDraw, dice: random.Random) -> None:
    """Something else in the cellar."""
    x, y, size = dice.randint(0, WIDTH), dice.randint(0, HEIGHT), dice.randint(30, 110)
    turn, corners = dice.uniform(0, math.tau), dice.randint(3, 6)
    outline = [
        (x + math.cos(a) * size * r, y + math.sin(a) * size * r)
        for k in range(corners)
        for a, r in [(turn + math.tau * k / corners, dice.uniform(0.5, 1.0))]
    ]
    light = dice.uniform(0.4, 1.2)
    fill = tuple(min(255, round(c * light)) for c in dice.choice(_RUST))
    draw.polygon(outline, fill=fill, outline=(20, 20, 20))


def _grained(image: Image.Image, dice: random.Random) -> Image.Image:
    """What a small sensor adds in poor light."""
    dust = np.random.default_rng(dice.getrandbits(60))
    grain = dust.integers(-12, 13, (HEIGHT, WIDTH, 1), np.int16)
    lit = np.asarray(image.filter(ImageFilter.BoxBlur(1)), np.int16) + grain
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
