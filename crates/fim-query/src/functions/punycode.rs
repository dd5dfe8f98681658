//! Punycode (RFC 3492); pure.

/// The letters beyond ASCII as digits behind those of ASCII; `None` if the text is too long for its numbers.
pub(super) fn encode(text: &str) -> Option<String> {
    let mut encoded: String = text.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(encoded.len()).ok()?;
    if basic > 0 {
        encoded.push('-');
    }
    let (mut code, mut delta, mut bias) = (INITIAL_CODE, 0_u32, INITIAL_BIAS);
    let mut handled = basic;
    let total = u32::try_from(text.chars().count()).ok()?;
    while handled < total {
        let next = text.chars().map(u32::from).filter(|point| *point >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(handled + 1)?)?;
        code = next;
        for point in text.chars().map(u32::from) {
            if point < code {
                delta = delta.checked_add(1)?;
            }
            if point == code {
                push_number(&mut encoded, delta, bias);
                bias = adapted(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        code = code.checked_add(1)?;
    }
    Some(encoded)
}

/// The text that was encoded; `None` if it is no Punycode.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let (basic, digits) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    if !basic.is_ascii() {
        return None;
    }
    let mut text: Vec<char> = basic.chars().collect();
    let (mut code, mut position, mut bias) = (INITIAL_CODE, 0_u32, INITIAL_BIAS);
    let mut digits = digits.bytes().peekable();
    while digits.peek().is_some() {
        let before = position;
        let (mut weight, mut step) = (1_u32, BASE);
        loop {
            let digit = digit_value(digits.next()?)?;
            position = position.checked_add(digit.checked_mul(weight)?)?;
            let threshold = threshold(step, bias);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            step += BASE;
        }
        let length = u32::try_from(text.len()).ok()? + 1;
        bias = adapted(position - before, length, before == 0);
        code = code.checked_add(position / length)?;
        position %= length;
        text.insert(usize::try_from(position).ok()?, char::from_u32(code)?);
        position += 1;
    }
    Some(text.into_iter().collect())
}

fn push_number(encoded: &mut String, mut number: u32, bias: u32) {
    let mut step = BASE;
    loop {
        let threshold = threshold(step, bias);
        if number < threshold {
            encoded.push(digit(number));
            return;
        }
        encoded.push(digit(threshold + (number - threshold) % (BASE - threshold)));
        number = (number - threshold) / (BASE - threshold);
        step += BASE;
    }
}

fn threshold(step: u32, bias: u32) -> u32 {
    step.saturating_sub(bias).clamp(LEAST_THRESHOLD, GREATEST_THRESHOLD)
}

fn adapted(delta: u32, count: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / count;
    let mut steps = 0;
    while delta > (BASE - LEAST_THRESHOLD) * GREATEST_THRESHOLD / 2 {
        delta /= BASE - LEAST_THRESHOLD;
        steps += BASE;
    }
    steps + (BASE - LEAST_THRESHOLD + 1) * delta / (delta + SKEW)
}

fn digit(value: u32) -> char {
    char::from(if value < 26 { b'a' + value as u8 } else { b'0' + (value - 26) as u8 })
}

fn digit_value(digit: u8) -> Option<u32> {
    match digit {
        b'a'..=b'z' => Some(u32::from(digit - b'a')),
        b'A'..=b'Z' => Some(u32::from(digit - b'A')),
        b'0'..=b'9' => Some(u32::from(digit - b'0') + 26),
        _ => None,
    }
}

// RFC 3492, section 5.
const BASE: u32 = 36;
const LEAST_THRESHOLD: u32 = 1;
const GREATEST_THRESHOLD: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_CODE: u32 = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_encoded_as_the_standard_says() {
        // RFC 3492, section 7.1 (I) and a word with ASCII and accents.
        assert_eq!(encode("почемужеонинеговорятпорусски").unwrap(), "b1abfaaepdrnnbgefbadotcwatmq2g4l");
        assert_eq!(encode("académie-française").unwrap(), "acadmie-franaise-npb1a");
    }

    proptest! {
        #[test]
        fn a_text_survives_the_way_there_and_back(text in any::<String>()) {
            prop_assert_eq!(decode(&encode(&text).unwrap()), Some(text));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-z0-9-é]{0,24}") {
            let _ = (decode(&text), encode(&text));
        }
    }
}
