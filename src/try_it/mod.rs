//! Try it: a developer pastes a curl command, and sees the answer to expect and what to change. [`words`]
//! splits it as a shell does, [`curl`] reads it as curl does; `api::trial` then makes the call in a
//! rehearsal, so that the answer is real and nothing is stored.

pub mod curl;
pub mod pages;
pub mod words;
