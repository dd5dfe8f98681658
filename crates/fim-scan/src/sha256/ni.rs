//! The compression function with the SHA extension of x86-64, on `N` messages in lockstep.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_storeu_si128,
};

use super::Block;

/// Proof that this processor has the instructions that this module is made of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ShaExtension(());

impl ShaExtension {
    /// The proof, if there is one.
    pub(crate) fn detect() -> Option<Self> {
        let is_there = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("sse4.1")
            && is_x86_feature_detected!("ssse3");
        is_there.then_some(Self(()))
    }

    /// Takes blocks of one message in.
    #[expect(unsafe_code, reason = "the instructions exist on some processors only")]
    pub(crate) fn compress_one(self, state: &mut [u32; 8], blocks: &[Block]) {
        // SAFETY: `self` exists only if `detect` found every feature that `compress` is compiled for.
        unsafe { compress([state], [blocks]) }
    }

    /// Takes blocks of two messages in, as many of each as both have.
    #[expect(unsafe_code, reason = "the instructions exist on some processors only")]
    pub(crate) fn compress_two(self, states: [&mut [u32; 8]; 2], blocks: [&[Block]; 2]) {
        // SAFETY: `self` exists only if `detect` found every feature that `compress` is compiled for.
        unsafe { compress(states, blocks) }
    }
}

/// Takes in as many blocks of each message as the shortest has. The lanes do not depend on each other, so the
/// processor works on one while another waits.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[expect(clippy::needless_range_loop, reason = "it indexes every lane's blocks, which no iterator does")]
fn compress<const N: usize>(states: [&mut [u32; 8]; N], blocks: [&[Block]; N]) {
    // Turns the four big-endian words of 16 bytes into the processor's order.
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let count = blocks.iter().map(|lane| lane.len()).min().unwrap_or(0);
    let mut abef = [_mm_setzero_si128(); N];
    let mut cdgh = abef;
    for lane in 0..N {
        (abef[lane], cdgh[lane]) = load_state(&*states[lane]);
    }
    for at in 0..count {
        let (abef_before, cdgh_before) = (abef, cdgh);
        let mut words = [[_mm_setzero_si128(); 4]; N];
        macro_rules! four_rounds {
            ($($step:literal)*) => { $(
                let keys = load_words(&ROUND_KEYS[$step]);
                for lane in 0..N {
                    if $step < 4 {
                        let sixteen = blocks[lane][at].as_chunks::<16>().0[$step & 3];
                        words[lane][$step & 3] = _mm_shuffle_epi8(load_bytes(&sixteen), swap);
                    } else {
                        words[lane][$step & 3] = next_words(&words[lane], $step);
                    }
                    let sum = _mm_add_epi32(words[lane][$step & 3], keys);
                    cdgh[lane] = _mm_sha256rnds2_epu32(cdgh[lane], abef[lane], sum);
                    let sum = _mm_shuffle_epi32(sum, 0x0E);
                    abef[lane] = _mm_sha256rnds2_epu32(abef[lane], cdgh[lane], sum);
                }
            )* };
        }
        four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for lane in 0..N {
            abef[lane] = _mm_add_epi32(abef[lane], abef_before[lane]);
            cdgh[lane] = _mm_add_epi32(cdgh[lane], cdgh_before[lane]);
        }
    }
    for (lane, state) in states.into_iter().enumerate() {
        store_state(state, abef[lane], cdgh[lane]);
    }
}

/// The four message words of `step` from the sixteen before them; `words[step % 4]` holds the oldest four.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn next_words(words: &[__m128i; 4], step: usize) -> __m128i {
    let [oldest, older, newer, newest] = [0, 1, 2, 3].map(|back| words[(step + back) & 3]);
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(oldest, older), _mm_alignr_epi8(newest, newer, 4));
    _mm_sha256msg2_epu32(sum, newest)
}

/// The eight words in the two halves that the instructions work on: A, B, E, F and C, D, G, H.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn load_state(state: &[u32; 8]) -> (__m128i, __m128i) {
    let [low, high] = [0, 1].map(|half| state.as_chunks::<4>().0[half]);
    let low = _mm_shuffle_epi32(load_words(&low), 0xB1);
    let high = _mm_shuffle_epi32(load_words(&high), 0x1B);
    (_mm_alignr_epi8(low, high, 8), _mm_blend_epi16(high, low, 0xF0))
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn store_state(state: &mut [u32; 8], abef: __m128i, cdgh: __m128i) {
    let low = _mm_shuffle_epi32(abef, 0x1B);
    let high = _mm_shuffle_epi32(cdgh, 0xB1);
    let halves = state.as_chunks_mut::<4>().0;
    halves[0] = store_words(_mm_blend_epi16(low, high, 0xF0));
    halves[1] = store_words(_mm_alignr_epi8(high, low, 8));
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[expect(unsafe_code, reason = "vector loads take pointers")]
fn load_bytes(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes that are read, and this load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[expect(unsafe_code, reason = "vector loads take pointers")]
fn load_words(words: &[u32; 4]) -> __m128i {
    // SAFETY: the reference covers the 16 bytes that are read, and this load needs no alignment.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[expect(unsafe_code, reason = "vector stores take pointers")]
fn store_words(vector: __m128i) -> [u32; 4] {
    let mut words = [0; 4];
    // SAFETY: `words` is 16 bytes that this function owns, and this store needs no alignment.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), vector) }
    words
}

/// The round constants (FIPS 180-4, 4.2.2), four to a step.
static ROUND_KEYS: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
    [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
    [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
    [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
    [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
    [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
    [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
    [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
    [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];
