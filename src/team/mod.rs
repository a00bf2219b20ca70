//! Who works in a business: members and their roles, and invitations by a link.
//!
//! A link's token is kept as a hash and shown once. It works for one address, once, for seven days.
//! A business always keeps an owner.

mod accept;
mod invite;
mod members;
mod pages;
mod store;

pub use accept::{Accept, Accepted, Who, accept};
pub use invite::{Invited, Standing, Withdrawn, invite, withdraw};
pub use members::{Changed, change_role, remove};
pub use pages::routes;

/// Days an invitation can be accepted.
pub const INVITATION_DAYS: i64 = 7;
