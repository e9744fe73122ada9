//! A BFF as one of its clients sees it, held to its contract.

use std::sync::Arc;

use serde_json::Value;

use crate::{Answer, Client, Content, Contract, Credential, Reading};

/// A client whose every answer must be in the OpenAPI document.
#[derive(Clone, Debug)]
pub struct Frontend {
    client: Client,
    contract: Arc<Contract>,
}

impl Frontend {
    /// The frontend that `client` reaches.
    pub fn new(client: Client, contract: Arc<Contract>) -> Self {
        Self { client, contract }
    }

    /// The same, sending this header with every request.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        Self { client: self.client.with(name, value), ..self }
    }

    /// The same for somebody else.
    #[must_use]
    pub fn of(self, credential: &Credential) -> Self {
        Self { client: self.client.of(credential), ..self }
    }

    /// The same for nobody.
    #[must_use]
    pub fn anonymous(self) -> Self {
        Self { client: self.client.anonymous(), ..self }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(Content::json(body.to_string()))).await
    }

    /// `GET path`, a stream: of that the document says nothing that could be held against it here.
    pub async fn read(&self, path: &str) -> Reading {
        self.client.read(path).await
    }

    /// Any request.
    pub async fn send(&self, method: &str, path: &str, content: Option<Content>) -> Answer {
        let answer = self.client.send(method, path, content).await;
        self.contract.check(method, path, &answer);
        answer
    }
}
