//! The server as its callers see it: scenarios over HTTP against a real one, each with its own data directory.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do, and the lints know only functions that are tests themselves"
)]

mod access;
mod client;
mod connections;
mod contents;
mod enrolment;
mod hostile;
mod looks;
mod losses;
mod machine;
mod metrics;
mod places;
mod running;
mod scenario;
mod settings;
mod sign_in;
mod stream;

use scenario::run;

/// One test for each file of `tests/scenarios`.
macro_rules! scenarios {
    ($($test:ident = $file:literal;)*) => {
        $(
            #[test]
            fn $test() {
                run($file);
            }
        )*

        #[test]
        fn every_scenario_has_its_test() {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/scenarios");
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            assert_eq!(files, [$($file),*]);
        }
    };
}

scenarios! {
    a_machine_joins_by_a_token_that_is_good_once = "01-enrolment.yaml";
    batches_are_stored_once_and_only_from_their_machine = "02-batches.yaml";
    settings_and_heartbeats_keep_agent_and_server_together = "03-settings-and-heartbeats.yaml";
    rules_are_kept_and_bad_patterns_are_explained = "04-rules.yaml";
    queries_answer_or_say_what_is_wrong = "05-queries.yaml";
    passwords_sessions_and_their_guards = "06-sign-in.yaml";
    readers_see_and_change_nothing = "07-roles.yaml";
    only_our_own_valid_certificates_are_let_in = "08-certificates.yaml";
    a_restart_loses_nothing = "09-restart.yaml";
    silence_becomes_a_gap_and_ends = "10-silence.yaml";
    workspaces_and_monitoring = "11-workspaces.yaml";
    changes_are_listed_and_explained = "12-changes.yaml";
    what_every_answer_carries = "13-edges.yaml";
    gaps_end_when_nobody_can_end_them_any_more = "14-endings.yaml";
    silence_counts_only_where_something_is_monitored = "15-unmonitored-silence.yaml";
    silence_from_the_server_s_downtime_is_a_gap_from_its_start = "16-downtime.yaml";
    a_machine_s_name_is_its_own = "17-names.yaml";
    times_at_will_are_kept_as_claims = "18-times.yaml";
    records_stay_are_metered_and_capped = "19-storage.yaml";
    daemons_software_and_the_inventory_become_the_published_rows = "20-lists.yaml";
    a_stream_ends_with_what_let_its_reader_in = "21-revocations.yaml";
    a_deleted_workspace_leaves_nothing_open = "22-deleted-workspaces.yaml";
    programs_exchange_an_api_token_for_an_access_token = "23-access-tokens.yaml";
    the_published_query_interface_answers_in_the_published_shape = "24-log-queries.yaml";
    programs_send_records_and_each_is_stored_once = "25-ingestion.yaml";
    the_query_interface_of_kusto_clusters_answers_in_frames = "26-kusto.yaml";
    the_figures_say_what_of_their_period_was_watched = "27-watched.yaml";
    a_query_reads_several_workspaces_or_one_resource = "28-several-workspaces.yaml";
    an_agent_is_given_the_time_between_heartbeats_that_it_was_told = "29-shorter-intervals.yaml";
}
