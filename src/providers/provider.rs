//! The payment providers whose messages Refdesk understands.

use crate::words;

words! {
    /// A payment provider.
    pub enum Provider {
        Stripe = "stripe",
        Paystack = "paystack",
        Flutterwave = "flutterwave",
        Paddle = "paddle",
        LemonSqueezy = "lemonsqueezy",
    }
}

impl Provider {
    pub fn title(self) -> &'static str {
        match self {
            Self::Stripe => "Stripe",
            Self::Paystack => "Paystack",
            Self::Flutterwave => "Flutterwave",
            Self::Paddle => "Paddle",
            Self::LemonSqueezy => "Lemon Squeezy",
        }
    }

    /// The provider's own name for the secret that proves its messages, with the place where it is found.
    pub fn secret(self) -> (&'static str, &'static str) {
        match self {
            Self::Stripe => ("Signing secret", "At Stripe under Developers, Webhooks: it begins with whsec_."),
            Self::Paystack => ("Secret key", "At Paystack under Settings, API keys & webhooks: it begins with sk_."),
            Self::Flutterwave => ("Secret hash", "At Flutterwave under Settings, Webhooks: the words you chose there."),
            Self::Paddle => {
                ("Endpoint secret key", "At Paddle under Developer tools, Notifications: it begins with pdl_ntfset_.")
            }
            Self::LemonSqueezy => ("Signing secret", "At Lemon Squeezy under Settings, Webhooks: the words you chose."),
        }
    }

    /// A secret of this form is of the provider's test mode or of its live mode; `None` where the form does not say.
    pub fn is_test_secret(self, secret: &str) -> Option<bool> {
        match self {
            Self::Paystack if secret.starts_with("sk_test_") => Some(true),
            Self::Paystack if secret.starts_with("sk_live_") => Some(false),
            _ => None,
        }
    }
}
