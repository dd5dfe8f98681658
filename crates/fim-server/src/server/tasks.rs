//! What runs as long as the server does.

use tokio::task::{JoinError, JoinHandle};

/// Tasks that run until the server is to stop, each with its name.
#[derive(Debug, Default)]
pub struct Tasks(Vec<(&'static str, JoinHandle<()>)>);

impl Tasks {
    /// Starts one. `name` says what it does, as in "the server's NAME has ended".
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.0.push((name, tokio::spawn(task)));
    }

    /// The first that has ended; before the server is to stop none does.
    pub fn ended(&self) -> Option<&'static str> {
        self.0.iter().find(|(_, task)| task.is_finished()).map(|(name, _)| *name)
    }

    /// Waits until all have ended; the error is that of the first that died.
    pub async fn join(self) -> Result<(), JoinError> {
        let mut ended = Ok(());
        for (_, task) in self.0 {
            ended = ended.and(task.await);
        }
        ended
    }
}
