//! Any bytes are a text or none, and a text is masked without losing a line, the same each time.

#![no_main]

use fim_core::{mask, text_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(text) = text_of(bytes.to_vec()) else { return };
    let masked = mask(&text, |secret| u32::try_from(secret.len()).unwrap_or(u32::MAX));
    assert_eq!(masked.split('\n').count(), text.split('\n').count());
    assert_eq!(mask(&text, |secret| u32::try_from(secret.len()).unwrap_or(u32::MAX)), masked);
});
