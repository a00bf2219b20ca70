//! Try it: a developer pastes the curl they have, and sees what this desk would answer and what to change.
//! [`words`] splits it as a shell does, [`curl`] reads it as curl does; the call is then made in a rehearsal
//! by `api::trial`, so that what is shown is the real thing and nothing of it is kept.

pub mod curl;
pub mod pages;
pub mod words;
