//! What goes wrong in a look at many.

use crate::problem::Problem;

/// What went wrong in a look at many: the first of it and how often, so that the trouble with one keeps nobody from the
/// next, and fills no log.
#[derive(Debug, Default)]
pub struct Troubles {
    first: Option<(String, Problem)>,
    times: usize,
}

impl Troubles {
    /// Notes what became of one of them.
    pub fn note(&mut self, whose: &str, done: Result<(), Problem>) {
        let Err(problem) = done else { return };
        self.times += 1;
        self.first.get_or_insert_with(|| (whose.to_owned(), problem));
    }

    /// Says it in the server's log, if there is anything to say.
    pub fn warn(self, what: &'static str) {
        if let Some((whose, problem)) = self.first {
            tracing::warn!(first = whose, detail = %problem.detail, times = self.times, "{what}");
        }
    }
}
