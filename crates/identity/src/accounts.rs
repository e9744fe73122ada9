//! The partners' accounts, each with a token of its own.

use std::collections::HashMap;
use std::sync::Arc;

use request_context::Subject;

use crate::client_credentials::ClientCredentials;
use crate::provider::Client;
use crate::{PartnerSettings, Partners, Provider};

/// The tokens of the partners' accounts. What a partner's key stands for, a domain service learns from these
/// alone.
pub struct Accounts(HashMap<Subject, ClientCredentials>);

impl Accounts {
    /// The accounts of `partners`. Nothing is sent yet.
    pub fn new(partners: &Partners, provider: &Arc<Provider>) -> Arc<Self> {
        let account = |partner: &PartnerSettings| {
            let client = Client { id: partner.client_id.clone(), secret: partner.client_secret.clone() };
            (partner.subject(), ClientCredentials::new(provider.clone(), client))
        };
        Arc::new(Self(partners.iter().map(|(_, partner)| account(partner)).collect()))
    }

    /// The token of `subject`, if that is a partner's account.
    pub(crate) fn of(&self, subject: &Subject) -> Option<&ClientCredentials> {
        self.0.get(subject)
    }
}
