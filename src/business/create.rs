//! A new business with everything it needs to take its first event: owner, campaign, product with
//! terms, and a live key.

use serde_json::json;

use super::settings::NewBusiness;
use super::store;
use crate::actor::{Actor, ActorKind};
use crate::audit::{self, NewEntry};
use crate::campaigns::{self, NewCampaign};
use crate::core::Core;
use crate::db::{DbResult, Key};
use crate::keys::{self, NewKey};
use crate::products::{self, NewTerms};
use crate::users::Role;
use crate::{id, users};

/// The result. The key is shown once.
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
    /// A business exists already, and only a first one may be made here.
    NotFirst,
}

pub async fn create(core: &Core, new: NewBusiness) -> DbResult<Created> {
    let ids = core.ids.run(12).await?;
    let now = core.clock.now();
    let (public_id, product_id, api_key) = {
        let mut rng = rand::rng();
        (
            id::random_public_id("business", &mut rng),
            id::random_public_id("product", &mut rng),
            id::new_api_key(true, &mut rng),
        )
    };
    let keys = vec![Key::Setup, Key::Referrer(0, new.owner.email.key().to_owned())];
    core.db
        .write(keys, move |tx| {
            let (new, mut ids) = (new.clone(), ids.clone());
            let (public_id, product_id, api_key) = (public_id.clone(), product_id.clone(), api_key.clone());
            Box::pin(async move {
                let mut next = move || ids.next().unwrap_or_default();
                if new.only_first && store::count(tx).await? > 0 {
                    return Ok(Created::NotFirst);
                }
                let business_id = next();
                store::insert(tx, business_id, &public_id, &new).await?;
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
                products::insert(tx, product_row, business_id, campaign_id, &product_id, &new.product, false).await?;
                let terms = NewTerms::percent(new.referral_rate, new.recurring_rate, new.hold_days);
                products::insert_terms(tx, next(), product_row, 1, &terms, Some(user_id), now).await?;
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
