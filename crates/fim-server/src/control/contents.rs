//! Who read the text of a file.

use serde_json::json;
use uuid::Uuid;

use super::{By, Control, ControlError, audit, failed};

impl Control {
    /// Writes into the audit log that somebody reads the text of a file before and after a change.
    pub async fn note_reading(
        &self,
        workspace: Uuid,
        machine: Uuid,
        change: &str,
        entity: &str,
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let noting = "noting who reads a text";
        let mut transaction = self.write(noting).await?;
        let detail = json!({ "workspace": workspace, "machine": machine, "entity": entity });
        audit(&mut transaction, by, "content.read", change, &detail).await?;
        transaction.commit().await.map_err(failed(noting))
    }
}

#[cfg(test)]
mod tests {
    use fim_core::Timestamp;

    use super::*;

    #[tokio::test]
    async fn who_reads_the_text_of_a_file_is_in_the_audit_log() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(&folder.path().join("control.sqlite")).await.unwrap();
        let by = By { actor: "amira", at: Timestamp(1) };
        control.note_reading(Uuid::nil(), Uuid::nil(), "c1", "/etc/a", by).await.unwrap();
        let line: (String, String, String) =
            sqlx::query_as("SELECT actor, object, detail FROM audit WHERE action = 'content.read'")
                .fetch_one(&control.pool)
                .await
                .unwrap();
        assert_eq!((line.0.as_str(), line.1.as_str()), ("amira", "c1"));
        assert!(line.2.contains("/etc/a"), "{}", line.2);
    }
}
