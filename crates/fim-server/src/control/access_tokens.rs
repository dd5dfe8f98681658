//! Access tokens: what a program gets for its API token by OAuth 2.0, good for an hour and for what that is good for.

use fim_core::Timestamp;
use serde_json::json;
use sqlx::Row;

use super::{By, Control, ControlError, audit, count, failed};

/// What became of an exchange of an API token for an access token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exchanged {
    /// The access token is good until then.
    Until(Timestamp),
    /// No API token has this id or name and this secret.
    Unknown,
    /// The API token has as many access tokens as it may have; the first of them ends then.
    TooMany(Timestamp),
}

impl Control {
    /// Keeps the digest of a new access token of the API token that `client` names, by id or name, and whose own digest
    /// is `secret`. It is good until `until`, or until the API token is good no more.
    pub async fn exchange(
        &self,
        client: &str,
        secret: [u8; 32],
        digest: [u8; 32],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Exchanged, ControlError> {
        let exchanging = failed("exchanging an API token");
        // Anybody may ask; whoever has no secret of ours does not get as far as to hold up those who write.
        if self.token(secret, now).await?.is_none() {
            return Ok(Exchanged::Unknown);
        }
        let mut transaction = self.write("exchanging an API token").await?;
        sqlx::query("DELETE FROM access_tokens WHERE expires_at <= ?")
            .bind(now.0)
            .execute(&mut *transaction)
            .await
            .map_err(&exchanging)?;
        let row = sqlx::query(
            "SELECT t.id, t.name, t.expires_at, COUNT(a.digest) AS held, MIN(a.expires_at) AS first_end \
             FROM api_tokens t LEFT JOIN access_tokens a ON a.token_id = t.id \
             WHERE t.digest = ? AND (t.id = ? OR t.name = ?) AND (t.expires_at IS NULL OR t.expires_at > ?) GROUP BY t.id",
        )
        .bind(&secret[..])
        .bind(client.to_ascii_lowercase())
        .bind(client)
        .bind(now.0)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(&exchanging)?;
        let Some(row) = row else { return Ok(Exchanged::Unknown) };
        let first_end: Option<i64> = row.try_get("first_end").map_err(&exchanging)?;
        if let Some(first_end) = first_end
            && count(&row, "held").map_err(&exchanging)? >= MOST_ACCESS_TOKENS
        {
            return Ok(Exchanged::TooMany(Timestamp(first_end)));
        }
        let id: String = row.try_get("id").map_err(&exchanging)?;
        let name: String = row.try_get("name").map_err(&exchanging)?;
        let ends: Option<i64> = row.try_get("expires_at").map_err(&exchanging)?;
        let until = ends.map_or(until, |ends| until.min(Timestamp(ends)));
        sqlx::query("INSERT INTO access_tokens (digest, token_id, expires_at) VALUES (?, ?, ?)")
            .bind(&digest[..])
            .bind(&id)
            .bind(until.0)
            .execute(&mut *transaction)
            .await
            .map_err(&exchanging)?;
        let actor = format!("token:{name}");
        audit(&mut transaction, By { actor: &actor, at: now }, "token.exchange", &name, &json!({})).await?;
        transaction.commit().await.map_err(exchanging)?;
        Ok(Exchanged::Until(until))
    }
}

/// Access tokens that one API token has at a time. A client asks for one an hour; a thousand are a fleet that shares a
/// secret, and more are a client that does not keep what it gets.
const MOST_ACCESS_TOKENS: u64 = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authz::{Grant, Role, Scope};

    const NOW: Timestamp = Timestamp(1_000_000);
    const HOUR: Timestamp = Timestamp(2_000_000);
    const SECRET: [u8; 32] = [1; 32];

    async fn control(ends: Option<Timestamp>) -> (tempfile::TempDir, Control) {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::open(&folder.path().join("control.sqlite")).await.unwrap();
        let grant = Grant { role: Role::Reader, scope: Scope::Tenant };
        let by = By { actor: "test", at: NOW };
        control.add_token(SECRET, "ci", grant, ends, by).await.unwrap();
        (folder, control)
    }

    fn digest(number: u64) -> [u8; 32] {
        let mut digest = [2; 32];
        digest[..8].copy_from_slice(&number.to_le_bytes());
        digest
    }

    #[tokio::test]
    async fn only_the_secret_with_its_own_name_or_id_is_exchanged() {
        let (_folder, control) = control(None).await;
        let id = control.tokens().await.unwrap()[0].id.to_string();
        for (client, secret, is_good) in [
            ("ci", SECRET, true),
            (id.to_uppercase().as_str(), SECRET, true),
            ("cd", SECRET, false),
            ("ci", [9; 32], false),
        ] {
            let digest = digest(u64::from(client == "ci"));
            let exchanged = control.exchange(client, secret, digest, HOUR, NOW).await.unwrap();
            assert_eq!(exchanged == Exchanged::Until(HOUR), is_good, "{client}: {exchanged:?}");
        }
    }

    #[tokio::test]
    async fn an_access_token_ends_in_its_time_and_with_its_api_token() {
        let ends = Timestamp(1_500_000);
        let (_folder, control) = control(Some(ends)).await;
        let exchanged = control.exchange("ci", SECRET, digest(1), HOUR, NOW).await.unwrap();
        assert_eq!(exchanged, Exchanged::Until(ends));
        let at = |time| control.token(digest(1), Timestamp(time));
        assert_eq!(at(1_499_999).await.unwrap().unwrap().name, "ci");
        assert!(at(1_500_000).await.unwrap().is_none());
        control.delete_token("ci", By { actor: "test", at: NOW }).await.unwrap();
        assert!(at(1_400_000).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_api_token_has_so_many_access_tokens_and_room_again_when_they_end() {
        let (_folder, control) = control(None).await;
        for number in 0..MOST_ACCESS_TOKENS {
            let exchanged = control.exchange("ci", SECRET, digest(number), HOUR, NOW).await.unwrap();
            assert_eq!(exchanged, Exchanged::Until(HOUR));
        }
        let further = digest(MOST_ACCESS_TOKENS);
        let exchanged = control.exchange("ci", SECRET, further, HOUR, NOW).await.unwrap();
        assert_eq!(exchanged, Exchanged::TooMany(HOUR));
        let later = Timestamp(3_000_000);
        assert_eq!(
            control.exchange("ci", SECRET, further, later, HOUR).await.unwrap(),
            Exchanged::Until(later)
        );
    }
}
