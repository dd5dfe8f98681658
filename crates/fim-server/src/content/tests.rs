use super::*;

const DIGEST: [u8; 32] = [7; 32];

fn owner(machine: u128) -> Owner {
    Owner { workspace: Uuid::from_u128(1), machine: Uuid::from_u128(machine) }
}

async fn opened(folder: &Path, config: &ContentConfig) -> Contents {
    Contents::open(folder, config).await.unwrap()
}

async fn count(contents: &Contents, table: &'static str) -> i64 {
    let query = match table {
        "blobs" => "SELECT count(*) FROM blobs",
        "totals" => "SELECT count(*) FROM totals",
        _ => "SELECT count(*) FROM contents",
    };
    sqlx::query_scalar(query).fetch_one(&contents.pool).await.unwrap()
}

#[tokio::test]
async fn a_text_is_found_by_its_machine_and_digest_alone_and_lies_on_the_disk_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let contents = opened(folder.path(), &ContentConfig::default()).await;
    let text = "a line that nobody else has written\n";
    assert_eq!(contents.missing(owner(2), &[DIGEST], Timestamp(1)).await.unwrap(), [DIGEST]);
    assert_eq!(contents.keep_text(owner(2), DIGEST, text, Timestamp(1)).await.unwrap(), Kept::Yes);
    assert!(contents.missing(owner(2), &[DIGEST], Timestamp(1)).await.unwrap().is_empty());
    assert_eq!(contents.find(owner(2), DIGEST).await.unwrap(), Content::Text(text.to_owned()));
    assert_eq!(contents.missing(owner(3), &[DIGEST], Timestamp(1)).await.unwrap(), [DIGEST]);
    assert_eq!(contents.find(owner(3), DIGEST).await.unwrap(), Content::NotReceived);
    let elsewhere = Owner { workspace: Uuid::from_u128(9), ..owner(2) };
    assert_eq!(contents.find(elsewhere, DIGEST).await.unwrap(), Content::NotReceived);
    contents.close().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(13).any(|window| window == b"a line that n"));
    }
}

#[tokio::test]
async fn a_text_that_is_kept_is_never_replaced_and_a_reason_is_by_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let contents = opened(folder.path(), &ContentConfig::default()).await;
    let why = NoText::ChangedWhileRead;
    contents.keep_reason(owner(2), DIGEST, why, Timestamp(1)).await.unwrap();
    assert_eq!(contents.find(owner(2), DIGEST).await.unwrap(), Content::None(why));
    assert_eq!(contents.missing(owner(2), &[DIGEST], Timestamp(1)).await.unwrap(), [DIGEST]);
    contents.keep_text(owner(2), DIGEST, "first", Timestamp(1)).await.unwrap();
    contents.keep_text(owner(2), DIGEST, "second", Timestamp(1)).await.unwrap();
    contents.keep_reason(owner(2), DIGEST, NoText::NotText, Timestamp(1)).await.unwrap();
    assert_eq!(contents.find(owner(2), DIGEST).await.unwrap(), Content::Text("first".to_owned()));
    contents.keep_reason(owner(2), [8; 32], NoText::NotText, Timestamp(1)).await.unwrap();
    assert!(contents.missing(owner(2), &[[8; 32]], Timestamp(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn equal_texts_of_a_workspace_are_kept_once_until_nobody_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let contents = opened(folder.path(), &ContentConfig::default()).await;
    for machine in [2, 3] {
        contents.keep_text(owner(machine), DIGEST, "shared", Timestamp(1)).await.unwrap();
    }
    assert_eq!(count(&contents, "blobs").await, 1);
    contents.remove_machine(Uuid::from_u128(2)).await.unwrap();
    assert_eq!(contents.find(owner(3), DIGEST).await.unwrap(), Content::Text("shared".to_owned()));
    contents.remove_unseen(owner(3).workspace, Timestamp(1)).await.unwrap();
    assert_eq!(count(&contents, "blobs").await, 1, "it was seen then");
    contents.remove_unseen(owner(3).workspace, Timestamp(2)).await.unwrap();
    assert_eq!((count(&contents, "blobs").await, count(&contents, "totals").await), (0, 0));
    contents.keep_text(owner(3), DIGEST, "shared", Timestamp(1)).await.unwrap();
    contents.remove_workspace(owner(3).workspace).await.unwrap();
    assert_eq!((count(&contents, "blobs").await, count(&contents, "contents").await), (0, 0));
}

#[tokio::test]
async fn a_digest_that_is_asked_about_counts_as_seen() {
    let folder = tempfile::tempdir().unwrap();
    let contents = opened(folder.path(), &ContentConfig::default()).await;
    contents.keep_text(owner(2), DIGEST, "text", Timestamp(1)).await.unwrap();
    let later = Timestamp(SEEN_EVERY_NANOS + 1);
    contents.missing(owner(2), &[DIGEST], later).await.unwrap();
    contents.remove_unseen(owner(2).workspace, later).await.unwrap();
    assert_eq!(contents.find(owner(2), DIGEST).await.unwrap(), Content::Text("text".to_owned()));
}

#[tokio::test]
async fn what_is_kept_of_a_machine_and_of_a_workspace_is_bounded_and_what_is_left_out_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = ContentConfig { machine_bytes: 10, workspace_bytes: 15, ..ContentConfig::default() };
    let contents = opened(folder.path(), &config).await;
    let keep = async |machine, digest, text: &str| {
        contents.keep_text(owner(machine), digest, text, Timestamp(1)).await.unwrap()
    };
    assert_eq!(keep(2, [1; 32], "12345678").await, Kept::Yes);
    assert_eq!(keep(2, [2; 32], "abc").await, Kept::NoRoom);
    assert_eq!(contents.find(owner(2), [2; 32]).await.unwrap(), Content::None(NoText::LimitReached));
    assert_eq!(keep(3, [1; 32], "another8").await, Kept::NoRoom, "the workspace is full");
    assert_eq!(keep(3, [1; 32], "seven77").await, Kept::Yes);
    contents.remove_machine(Uuid::from_u128(2)).await.unwrap();
    assert_eq!(keep(3, [3; 32], "abc").await, Kept::Yes);
}

#[tokio::test]
async fn texts_whose_key_is_lost_are_told_as_lost_and_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = ContentConfig::default();
    let contents = opened(folder.path(), &config).await;
    contents.keep_text(owner(2), DIGEST, "text", Timestamp(1)).await.unwrap();
    contents.close().await;
    std::fs::remove_file(folder.path().join("content.key")).unwrap();
    let contents = opened(folder.path(), &config).await;
    assert_eq!(contents.find(owner(2), DIGEST).await.unwrap(), Content::Lost);
    assert_eq!(contents.missing(owner(2), &[DIGEST], Timestamp(1)).await.unwrap(), [DIGEST]);
    contents.keep_text(owner(2), DIGEST, "text", Timestamp(1)).await.unwrap();
    assert_eq!(contents.find(owner(2), DIGEST).await.unwrap(), Content::Text("text".to_owned()));
}

#[tokio::test]
async fn a_text_that_was_changed_on_the_disk_or_put_under_another_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let contents = opened(folder.path(), &ContentConfig::default()).await;
    contents.keep_text(owner(2), DIGEST, "text", Timestamp(1)).await.unwrap();
    contents.keep_text(owner(2), [8; 32], "other", Timestamp(1)).await.unwrap();
    let swap =
        "UPDATE blobs SET (nonce, sealed) = (SELECT nonce, sealed FROM blobs b WHERE b.id <> blobs.id)";
    sqlx::raw_sql(swap).execute(&contents.pool).await.unwrap();
    assert_eq!(contents.find(owner(2), DIGEST).await.unwrap(), Content::Lost);
    sqlx::raw_sql("UPDATE blobs SET sealed = x'00'").execute(&contents.pool).await.unwrap();
    assert_eq!(contents.find(owner(2), [8; 32]).await.unwrap(), Content::Lost);
}

#[tokio::test]
async fn a_database_of_texts_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let contents = opened(folder.path(), &ContentConfig::default()).await;
    sqlx::raw_sql("PRAGMA user_version = 2").execute(&contents.pool).await.unwrap();
    contents.close().await;
    let error = Contents::open(folder.path(), &ContentConfig::default()).await.unwrap_err();
    assert!(matches!(error, OpenContentsError::Newer { .. }), "{error}");
}
