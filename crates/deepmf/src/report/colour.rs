//! Colours that people with any colour vision tell apart.

/// Red, green, blue.
pub(super) type Colour = (u8, u8, u8);

pub(super) const INK: Colour = (0x22, 0x26, 0x2b);
pub(super) const MUTED: Colour = (0x5b, 0x63, 0x6c);
pub(super) const FRAME: Colour = (0x9a, 0xa1, 0xa9);
pub(super) const GRID: Colour = (0xe6, 0xe8, 0xeb);
pub(super) const MISSING: Colour = (0xc4, 0xc7, 0xcb);

/// The palette of Okabe and Ito (2008) without yellow, which is too pale for lines on white.
const PALETTE: [Colour; 7] = [
    (0x00, 0x72, 0xb2),
    (0xd5, 0x5e, 0x00),
    (0x00, 0x9e, 0x73),
    (0xcc, 0x79, 0xa7),
    (0xe6, 0x9f, 0x00),
    (0x56, 0xb4, 0xe9),
    (0x22, 0x26, 0x2b),
];

/// Viridis (van der Walt and Smith 2015) at nine even places.
const SEQUENTIAL: [Colour; 9] = [
    (0x44, 0x01, 0x54),
    (0x47, 0x2d, 0x7b),
    (0x3b, 0x52, 0x8b),
    (0x2c, 0x72, 0x8e),
    (0x21, 0x91, 0x8c),
    (0x28, 0xae, 0x80),
    (0x5e, 0xc9, 0x62),
    (0xad, 0xdc, 0x30),
    (0xfd, 0xe7, 0x25),
];

/// Blue through near-white to red (after the map `RdBu` of `ColorBrewer`).
const DIVERGING: [Colour; 7] = [
    (0x21, 0x66, 0xac),
    (0x67, 0xa9, 0xcf),
    (0xd1, 0xe5, 0xf0),
    (0xf7, 0xf7, 0xf7),
    (0xfd, 0xdb, 0xc7),
    (0xef, 0x8a, 0x62),
    (0xb2, 0x18, 0x2b),
];

/// The dash pattern of the `index`-th line; empty means solid.
pub(super) fn dash(index: usize) -> &'static [f64] {
    const DASHES: [&[f64]; 5] =
        [&[], &[7.0, 3.0], &[2.0, 2.5], &[9.0, 3.0, 2.0, 3.0], &[13.0, 4.0]];
    DASHES[index % DASHES.len()]
}

/// The colour of the `index`-th of `count` series; many series are shades in their order.
pub(super) fn series(index: usize, count: usize) -> Colour {
    if count <= PALETTE.len() {
        PALETTE[index % PALETTE.len()]
    } else {
        // The yellow end is too pale for lines on white.
        sequential(0.9 * index as f64 / (count - 1) as f64)
    }
}

/// The colour of `place` in [0, 1] from dark to light.
pub(super) fn sequential(place: f64) -> Colour {
    between(&SEQUENTIAL, place)
}

/// The colour of `place` in [0, 1]; 0.5 is neutral.
pub(super) fn diverging(place: f64) -> Colour {
    between(&DIVERGING, place)
}

#[allow(clippy::cast_sign_loss)] // places are clamped to what is there
fn between(stops: &[Colour], place: f64) -> Colour {
    let at = place.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let first = (at as usize).min(stops.len() - 2);
    let part = at - first as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u8;
    let (a, b) = (stops[first], stops[first + 1]);
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}
