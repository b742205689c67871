//! Pushes traffic of every kind through the core and holds every message against the revision's published schema.

use crate::support::traffic::{stateful_traffic, stateless_traffic};
use crate::support::{Client, Schemas, all_capabilities};
use mcp_reference_server::revision::Revision;

#[tokio::test(start_paused = true)]
async fn every_message_of_the_stateful_era_is_valid() {
    for revision in Revision::ALL.into_iter().filter(|revision| !revision.is_stateless()) {
        let mut client = Client::new(&[]);
        let answer = client.initialize(revision, all_capabilities()).await;
        assert_eq!(answer["result"]["protocolVersion"], revision.as_str());
        stateful_traffic(&mut client).await;
        check(revision, &client);
    }
}

#[tokio::test(start_paused = true)]
async fn every_message_of_the_stateless_era_is_valid() {
    let mut client = Client::new(&[]);
    stateless_traffic(&mut client).await;
    check(Revision::V2026_07_28, &client);
}

fn check(revision: Revision, client: &Client) {
    let Some(mut schemas) = Schemas::load(revision) else {
        println!("not run for {revision}: its published schema is not at hand");
        return;
    };
    assert!(client.log.len() > 60, "{revision}: only {} messages", client.log.len());
    for outgoing in &client.log {
        schemas.check_message(outgoing);
    }
}
