//! The actor of a change. Every audit entry names one.

/// The actor's name, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: Option<i64>,
    pub name: String,
    /// From where: an address, or the command.
    pub origin: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    User,
    Key,
    Job,
    Command,
}

impl ActorKind {
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Job => "job",
            Self::Command => "command",
        }
    }
}

impl Actor {
    /// The id of the person of staff who does it, where it is one.
    pub fn user(&self) -> Option<i64> {
        self.id.filter(|_| self.kind == ActorKind::User)
    }
}
