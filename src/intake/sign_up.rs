//! A customer signed up.

use super::{Fault, Intake, RawProduct};
use crate::email::Email;
use crate::engine::SignUp;

#[derive(Debug, Clone)]
pub struct RawSignUp {
    pub of: RawProduct,
    pub email: Email,
    pub name: String,
    pub phone: Option<String>,
    pub code: Option<String>,
}

impl Intake<'_> {
    pub async fn sign_up(&self, raw: RawSignUp) -> Result<SignUp, Fault> {
        let phone = self.phone(raw.phone.as_deref())?;
        let of = self.scope(&raw.of).await?;
        Ok(SignUp { of, email: raw.email, name: raw.name, phone, code: raw.code })
    }
}
