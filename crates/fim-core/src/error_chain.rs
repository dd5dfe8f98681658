//! An error with its causes, for a person.

use std::error::Error;

/// The error and its causes in one line, joined by `: `. A cause whose words its effect ends with is not said again:
/// some libraries repeat them.
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Failed(&'static str, Option<Box<Failed>>);

    impl fmt::Display for Failed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Failed {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &dyn Error)
        }
    }

    #[test]
    fn an_error_is_told_with_its_causes_and_none_twice() {
        let chain = |texts: [&'static str; 3]| {
            let [first, second, third] = texts;
            let second = Failed(second, Some(Box::new(Failed(third, None))));
            error_chain(&Failed(first, Some(Box::new(second))))
        };
        assert_eq!(
            chain(["cannot save", "cannot write /x", "no space"]),
            "cannot save: cannot write /x: no space"
        );
        assert_eq!(chain(["cannot save: no space", "no space", "no space"]), "cannot save: no space");
    }
}
