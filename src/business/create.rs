//! A new business with everything it needs to take its first event: owner, campaign, product with
//! terms, and a live key.

use serde_json::json;

use crate::actor::{Actor, ActorKind};
use crate::app::App;
use crate::audit::{self, NewEntry};
use crate::campaigns::{self, NewCampaign};
use crate::clock::Zone;
use crate::db::{DbResult, Key};
use crate::email::Email;
use crate::keys::{self, NewKey};
use crate::money::{Currency, Rate};
use crate::products::{self, NewTerms};
use crate::web::Role;
use crate::{id, users};

use super::store;

/// What a new business is made from.
#[derive(Debug, Clone)]
pub struct NewBusiness {
    pub name: String,
    pub zone: Zone,
    pub currency: Currency,
    /// ISO 3166 alpha-2
    pub country: String,
    pub owner: Owner,
    pub campaign: String,
    pub product: String,
    pub referral_rate: Rate,
    pub recurring_rate: Rate,
    pub hold_days: i64,
    /// Only as the first one: set-up is refused when a business exists.
    pub only_first: bool,
}

/// Who owns it: a new user, or one that exists (by e-mail) and keeps the password they have.
#[derive(Debug, Clone)]
pub struct Owner {
    pub email: Email,
    pub name: String,
    pub password_hash: String,
}

/// What was made. The key is shown once and never again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    Made {
        business_id: i64,
        public_id: String,
        campaign_id: i64,
        product_id: String,
        api_key: String,
        user_id: i64,
    },
    /// A business exists already, and only a first one was asked for.
    NotFirst,
}

pub async fn create(app: &App, new: NewBusiness) -> DbResult<Created> {
    let ids = app.ids.run(12).await?;
    let now = app.clock.now();
    let (public_id, product_id, api_key) = {
        let mut rng = rand::rng();
        (
            id::random_public_id("business", &mut rng),
            id::random_public_id("product", &mut rng),
            id::new_api_key(true, &mut rng),
        )
    };
    let keys = vec![Key::Setup, Key::Referrer(0, new.owner.email.key().to_owned())];
    app.db
        .write(keys, move |tx| {
            let (new, mut ids) = (new.clone(), ids.clone());
            let (public_id, product_id, api_key) = (public_id.clone(), product_id.clone(), api_key.clone());
            Box::pin(async move {
                let mut next = move || ids.next().unwrap_or_default();
                if new.only_first && store::count(tx).await? > 0 {
                    return Ok(Created::NotFirst);
                }
                let business_id = next();
                store::insert(tx, business_id, &public_id, &new, now).await?;
                let user_id = match users::id_by_email(tx, new.owner.email.key()).await? {
                    Some(known) => known,
                    None => {
                        let user_id = next();
                        users::insert_user(
                            tx,
                            user_id,
                            &new.owner.email,
                            &new.owner.name,
                            &new.owner.password_hash,
                            now,
                        )
                        .await?;
                        user_id
                    }
                };
                users::insert_membership(tx, business_id, user_id, Role::Owner, now).await?;
                let campaign_id = next();
                campaigns::insert(tx, &NewCampaign::live(campaign_id, business_id, new.campaign.clone()), now).await?;
                store::set_default_campaign(tx, business_id, campaign_id).await?;
                let product_row = next();
                products::insert(tx, product_row, business_id, campaign_id, &product_id, &new.product, false, now)
                    .await?;
                let terms = NewTerms::percent(new.referral_rate, new.recurring_rate, new.hold_days);
                products::insert_terms(tx, next(), business_id, product_row, 1, &terms, Some(user_id), now).await?;
                let key = NewKey::full(next(), business_id, "First key", &api_key, Some(user_id));
                keys::insert(tx, &key, now).await?;
                let actor = std::sync::Arc::new(Actor {
                    kind: ActorKind::User,
                    id: Some(user_id),
                    name: new.owner.name.clone(),
                    origin: "set-up".into(),
                });
                let entry = NewEntry::new(next(), business_id, &actor, "business.created", ("business", business_id))
                    .after(json!({ "name": new.name, "campaign": new.campaign, "product": new.product }));
                audit::write(tx, now, &[entry]).await?;
                Ok(Created::Made { business_id, public_id, campaign_id, product_id, api_key, user_id })
            })
        })
        .await
}
