//! One transport of the server under test: how sessions are opened there, and what was learned.

use std::collections::BTreeMap;
use std::sync::Arc;

use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::{Era, Revision, RevisionSet};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{RunError, items};
use crate::detect::{self, Begun, OpenError, Opener};
use crate::event::Transport;
use crate::plan::Reach;
use crate::profile::Profile;
use crate::session::handshake::HandshakeError;
use crate::session::headers::{self, Mirrored};
use crate::settings::{Settings, WhichRevisions};

/// One transport of the server under test.
pub(crate) struct Surface {
    pub(crate) transport: Transport,
    pub(crate) opener: Opener,
    /// What it speaks, as far as it was asked.
    pub(crate) spoken: RevisionSet,
    /// What the reader should know, one sentence each.
    pub(crate) notes: Vec<String>,
    pub(crate) profiles: BTreeMap<Revision, Profile>,
    /// The values that templates may name in every case of a revision.
    pub(crate) variables: BTreeMap<Revision, Arc<Map<String, Value>>>,
    mirrored: BTreeMap<Revision, Arc<BTreeMap<String, Mirrored>>>,
}

impl Surface {
    /// Finds out what the server speaks and asks it, in every revision under test, what it offers; also returns the
    /// sessions in which it did so.
    pub(crate) async fn learn(
        opener: Opener,
        settings: &Settings,
    ) -> Result<(Surface, Vec<Begun>), RunError> {
        let detected = detect::detect(opener, settings.revisions.asked_for()).await?;
        let mut spoken = detected.spoken;
        let mut sessions = detected.begun;
        let mut notes = detected.notes;
        let opener = detected.opener;
        // The detection asked for the newest of each era; whoever wants more asks for each.
        if let WhichRevisions::These(set) = settings.revisions {
            let mut asking = JoinSet::new();
            let lanes = Arc::new(Semaphore::new(settings.jobs.max(1)));
            let others = set.iter().filter(|other| !spoken.contains(*other) && other.era() == Era::Stateful);
            for revision in others {
                let (opener, lanes) = (opener.clone(), Arc::clone(&lanes));
                asking.spawn(async move {
                    let _permit = lanes.acquire_owned().await;
                    (revision, opener.begin(revision, ClientKind::Usual, false).await)
                });
            }
            while let Some(done) = asking.join_next().await {
                match done {
                    Ok((_, Ok(begun))) => {
                        spoken.insert(begun.session.revision());
                        sessions.push(begun);
                    }
                    // Offering another revision, or refusing, is how a server says that it does not speak this one.
                    Ok((
                        _,
                        Err(OpenError::Handshake(
                            HandshakeError::OtherRevision(_) | HandshakeError::Refused(_),
                            _,
                        )),
                    ))
                    | Err(_) => {}
                    Ok((revision, Err(error))) => {
                        notes.push(format!("{revision} is not tested: {}", error.in_words()));
                    }
                }
            }
            notes.sort();
        }
        sessions.retain(|begun| settings.revisions.wants(begun.session.revision(), spoken));
        if sessions.is_empty() {
            return Err(RunError::NoRevision { spoken: spoken.to_string() });
        }
        let limit = settings.timeout;
        let mut surface = Surface {
            transport: opener.transport(),
            opener,
            spoken,
            notes,
            profiles: BTreeMap::new(),
            variables: BTreeMap::new(),
            mirrored: BTreeMap::new(),
        };
        let mut asking = JoinSet::new();
        for mut begun in sessions {
            asking.spawn(async move {
                let profile = Profile::learn(&mut begun.session, &begun.greeting, limit).await;
                (begun, profile)
            });
        }
        let mut sessions = Vec::new();
        while let Some(done) = asking.join_next().await {
            let Ok((mut begun, profile)) = done else { continue };
            let revision = begun.session.revision();
            let mirrored = Arc::new(headers::mirrored(&profile.tools));
            begun.session.mirror(Arc::clone(&mirrored));
            surface.mirrored.insert(revision, mirrored);
            surface.variables.insert(revision, items::shared_variables(revision, &profile));
            surface.profiles.insert(revision, profile);
            sessions.push(begun);
        }
        sessions.sort_by_key(|begun| begun.session.revision());
        Ok((surface, sessions))
    }

    /// The arguments that the tools of a revision want mirrored in headers.
    pub(crate) fn mirrored(&self, revision: Revision) -> Arc<BTreeMap<String, Mirrored>> {
        self.mirrored.get(&revision).cloned().unwrap_or_default()
    }

    /// What is known of the server beyond what it declares.
    pub(crate) fn reach(&self, settings: &Settings) -> Reach {
        let speaks = |era: Era| self.spoken.iter().any(|revision| revision.era() == era);
        Reach {
            dual_era: speaks(Era::Stateful) && speaks(Era::Stateless),
            own_process: self.opener.owns_process(),
            loopback: self.opener.is_loopback(),
            protected: settings.http.has_token(),
        }
    }
}
