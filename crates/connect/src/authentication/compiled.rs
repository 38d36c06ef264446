//! What goes with a request.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value as Json};

use super::jwt;
use super::saml::{self, Assertion};
use super::signing::SigningKey;
use super::token::{Holder, Token};
use super::ws_security;
use crate::declared::{
    CompiledCall, Compiling, GENERAL, General, Refusals, not_made, whole_address,
};
use crate::error::{ConnectError, ErrorKind};
use crate::expression::{Escape, Scope, Template};
use crate::http::{Answer, Basic, HttpClient, Request};
use crate::manifest::{Authentication, BasicScheme, ClientPlace, Named, Path};
use crate::pointer::Pointer;
use crate::settings::KeepSecret;

/// Proves who asks.
pub(crate) struct Authenticator {
    headers: Vec<(String, Template)>,
    kind: Kind,
    secrets: BTreeMap<String, SecretString>,
    settings: Json,
    keep: Option<Arc<dyn KeepSecret>>,
    holder: Holder,
}

/// How it was proved: what is to be given back when it is refused.
#[derive(Clone)]
pub(crate) struct Proof(Option<Arc<Token>>);

impl Proof {
    /// Could another proof be taken where this one is refused?
    pub(crate) const fn can_be_renewed(&self) -> bool {
        self.0.is_some()
    }
}

/// A compiled way.
pub(crate) struct CompiledAuthentication {
    headers: Vec<(String, Template)>,
    kind: Kind,
}

enum Kind {
    None,
    Header(Pair),
    Query(Pair),
    Body(Pair),
    Basic(BasicPair),
    Bearer(Template),
    WsSecurity(BasicPair),
    Token { grant: Grant, url: Template },
    Session(Box<Session>),
}

struct Pair {
    name: String,
    value: Template,
}

struct BasicPair {
    user: Template,
    password: Template,
}

enum Grant {
    ClientCredentials {
        client: Client,
        json: bool,
        form: Vec<(String, Template)>,
    },
    Refresh {
        client: Client,
        secret: String,
        form: Vec<(String, Template)>,
    },
    Jwt {
        key: Template,
        key_id: Option<Template>,
        claims: Vec<(String, Template)>,
        lifetime: i64,
        form: Vec<(String, Template)>,
    },
    Saml(Box<Saml>),
}

struct Client {
    id: Template,
    secret: Option<Template>,
    place: ClientPlace,
    scope: Option<Template>,
}

struct Saml {
    key: Template,
    certificate: Option<Template>,
    issuer: Template,
    subject: Template,
    subject_format: Option<String>,
    audience: Template,
    recipient: Option<Template>,
    attributes: Vec<(String, Template)>,
    form: Vec<(String, Template)>,
    lifetime: i64,
}

struct Session {
    request: CompiledCall,
    basic: Option<BasicPair>,
    token: Pointer,
    lifetime: Option<i64>,
    expires_in: Option<Pointer>,
    expires: Option<Template>,
    send: Send,
}

enum Send {
    Bearer,
    Header(Pair),
    Basic(BasicPair),
    Query(Pair),
}

impl CompiledAuthentication {
    /// Nothing is proved to answers that are played.
    pub(crate) const fn none() -> Self {
        Self {
            headers: Vec::new(),
            kind: Kind::None,
        }
    }
}

/// Compiles the way that the settings mean.
pub(crate) fn compile(compiling: &mut Compiling<'_>) -> Option<CompiledAuthentication> {
    let manifest = compiling.manifest();
    let path = Path::default().name("authentication");
    if manifest.authentication.is_empty() {
        let message = "say how the connector proves who asks: [[authentication]]";
        compiling.flaw(&path, "manifest.authentication", message);
        return None;
    }
    let mut chosen = None;
    for (place, written) in manifest.authentication.iter().enumerate() {
        let path = path.place(place);
        if compiling.is_meant(&written.when, &path) {
            let compiled = one(compiling, &path, written);
            chosen = chosen.or(compiled);
        }
    }
    chosen
}

fn one(
    compiling: &mut Compiling<'_>,
    path: &Path,
    written: &Authentication,
) -> Option<CompiledAuthentication> {
    let mut variables = GENERAL.to_vec();
    variables.push("secret");
    let mut of_session = variables.clone();
    of_session.push("token");
    let mut compile = Making {
        compiling,
        path: path.clone(),
        variables: &variables,
    };
    let headers = compile.texts("headers", &written.headers);
    let mut kinds: Vec<Option<Kind>> = Vec::new();
    if let Some(named) = &written.header {
        kinds.push(compile.below("header").pair(named).map(Kind::Header));
    }
    if let Some(named) = &written.query {
        kinds.push(compile.below("query").pair(named).map(Kind::Query));
    }
    if let Some(named) = &written.body {
        kinds.push(compile.below("body").pair(named).map(Kind::Body));
    }
    if let Some(basic) = &written.basic {
        kinds.push(compile.below("basic").basic(basic).map(Kind::Basic));
    }
    if let Some(bearer) = &written.bearer {
        kinds.push(
            compile
                .below("bearer")
                .text("token", &bearer.token)
                .map(Kind::Bearer),
        );
    }
    if let Some(written) = &written.ws_security {
        let basic = BasicScheme {
            user: written.user.clone(),
            password: written.password.clone(),
        };
        kinds.push(
            compile
                .below("ws_security")
                .basic(&basic)
                .map(Kind::WsSecurity),
        );
    }
    if let Some(grant) = &written.client_credentials {
        let mut below = compile.below("client_credentials");
        let client = below.client(
            &grant.client_id,
            Some(&grant.client_secret),
            grant.client,
            grant.scope.as_ref(),
        );
        let form = below.texts("form", &grant.form);
        kinds.push(
            below
                .text("token_url", &grant.token_url)
                .zip(client)
                .map(|(url, client)| Kind::Token {
                    url,
                    grant: Grant::ClientCredentials {
                        client,
                        json: grant.json,
                        form,
                    },
                }),
        );
    }
    if let Some(grant) = &written.refresh_token {
        let mut below = compile.below("refresh_token");
        let client = below.client(
            &grant.client_id,
            grant.client_secret.as_ref(),
            grant.client,
            grant.scope.as_ref(),
        );
        let form = below.texts("form", &grant.form);
        let known = below.compiling.manifest().secrets.iter();
        if !known.into_iter().any(|entry| entry.name == grant.secret) {
            let path = below.path.name("secret");
            let message = format!("there is no secret `{}`", grant.secret);
            below
                .compiling
                .flaw(&path, "manifest.unknown_setting", message);
        }
        kinds.push(
            below
                .text("token_url", &grant.token_url)
                .zip(client)
                .map(|(url, client)| Kind::Token {
                    url,
                    grant: Grant::Refresh {
                        client,
                        secret: grant.secret.clone(),
                        form,
                    },
                }),
        );
    }
    if let Some(grant) = &written.jwt_bearer {
        let mut below = compile.below("jwt_bearer");
        let claims = below.texts("claims", &grant.claims);
        let form = below.texts("form", &grant.form);
        let key_id = grant
            .key_id
            .as_ref()
            .and_then(|id| below.text("key_id", id));
        let key = below.text("private_key", &grant.private_key);
        kinds.push(
            below
                .text("token_url", &grant.token_url)
                .zip(key)
                .map(|(url, key)| Kind::Token {
                    url,
                    grant: Grant::Jwt {
                        key,
                        key_id,
                        claims,
                        lifetime: grant.lifetime_seconds,
                        form,
                    },
                }),
        );
    }
    if let Some(grant) = &written.saml_bearer {
        let mut below = compile.below("saml_bearer");
        let url = below.text("token_url", &grant.token_url);
        let made = (|| {
            Some(Saml {
                key: below.text("private_key", &grant.private_key)?,
                certificate: match &grant.certificate {
                    Some(certificate) => Some(below.text("certificate", certificate)?),
                    None => None,
                },
                issuer: below.text("issuer", &grant.issuer)?,
                subject: below.text("subject", &grant.subject)?,
                subject_format: grant.subject_format.clone(),
                audience: below.text("audience", &grant.audience)?,
                recipient: match &grant.recipient {
                    Some(recipient) => Some(below.text("recipient", recipient)?),
                    None => None,
                },
                attributes: below.texts("attributes", &grant.attributes),
                form: below.texts("form", &grant.form),
                lifetime: grant.lifetime_seconds,
            })
        })();
        kinds.push(url.zip(made).map(|(url, saml)| Kind::Token {
            url,
            grant: Grant::Saml(Box::new(saml)),
        }));
    }
    if let Some(session) = &written.session {
        let path = path.name("session");
        let request = CompiledCall::compile(
            compile.compiling,
            &path.name("request"),
            &session.request,
            &variables,
        );
        let mut below = compile.below("session");
        let basic = session
            .basic
            .as_ref()
            .and_then(|basic| below.below("basic").basic(basic));
        let token = below
            .compiling
            .pointer(&path.name("token"), &session.token, &[]);
        let expires_in = (session.expires_in.as_ref()).and_then(|pointer| {
            below
                .compiling
                .pointer(&path.name("expires_in"), pointer, &[])
        });
        let expires = (session.expires.as_ref()).and_then(|text| below.text("expires", text));
        let mut sending = Making {
            compiling: below.compiling,
            path: path.name("send"),
            variables: &of_session,
        };
        let send = if let Some(named) = &session.send.header {
            sending.below("header").pair(named).map(Send::Header)
        } else if let Some(basic) = &session.send.basic {
            sending.below("basic").basic(basic).map(Send::Basic)
        } else if let Some(named) = &session.send.query {
            sending.below("query").pair(named).map(Send::Query)
        } else {
            Some(Send::Bearer)
        };
        kinds.push((|| {
            Some(Kind::Session(Box::new(Session {
                request: request?,
                basic,
                token: token?,
                lifetime: session.lifetime_seconds,
                expires_in,
                expires,
                send: send?,
            })))
        })());
    }
    if kinds.len() > 1 {
        let message = "a way has exactly one kind, such as basic or jwt_bearer";
        compiling.flaw(path, "manifest.authentication", message);
    }
    let kind = match kinds.pop() {
        // Headers alone may be all that a vendor wants.
        None => Kind::None,
        Some(kind) => kind?,
    };
    Some(CompiledAuthentication { headers, kind })
}

/// Compiles texts of one table.
struct Making<'c, 'm, 'v> {
    compiling: &'c mut Compiling<'m>,
    path: Path,
    variables: &'v [&'v str],
}

impl<'m, 'v> Making<'_, 'm, 'v> {
    fn below(&mut self, name: &str) -> Making<'_, 'm, 'v> {
        Making {
            path: self.path.name(name),
            compiling: &mut *self.compiling,
            variables: self.variables,
        }
    }

    fn text(&mut self, name: &str, text: &str) -> Option<Template> {
        self.compiling
            .template(&self.path.name(name), text, self.variables)
    }

    fn texts(&mut self, name: &str, texts: &BTreeMap<String, String>) -> Vec<(String, Template)> {
        self.compiling
            .templates(&self.path.name(name), texts, self.variables)
    }

    fn pair(&mut self, named: &Named) -> Option<Pair> {
        Some(Pair {
            name: named.name.clone(),
            value: self.text("value", &named.value)?,
        })
    }

    fn basic(&mut self, basic: &BasicScheme) -> Option<BasicPair> {
        Some(BasicPair {
            user: self.text("user", &basic.user)?,
            password: self.text("password", &basic.password)?,
        })
    }

    fn client(
        &mut self,
        id: &str,
        secret: Option<&String>,
        place: ClientPlace,
        scope: Option<&String>,
    ) -> Option<Client> {
        Some(Client {
            id: self.text("client_id", id)?,
            secret: match secret {
                Some(secret) => Some(self.text("client_secret", secret)?),
                None => None,
            },
            place,
            scope: match scope {
                Some(scope) => Some(self.text("scope", scope)?),
                None => None,
            },
        })
    }
}

impl Authenticator {
    /// With the secrets of a connection.
    pub(crate) fn new(
        compiled: CompiledAuthentication,
        secrets: BTreeMap<String, SecretString>,
        settings: Json,
        keep: Option<Arc<dyn KeepSecret>>,
    ) -> Self {
        Self {
            headers: compiled.headers,
            kind: compiled.kind,
            secrets,
            settings,
            keep,
            holder: Holder::default(),
        }
    }

    /// The request with its proof.
    pub(crate) async fn prove(
        &self,
        request: Request,
        http: &HttpClient,
        refusals: &Refusals,
    ) -> Result<(Request, Proof), ConnectError> {
        let token = match &self.kind {
            Kind::Token { grant, url } => Some(
                self.holder
                    .get(http.clock(), async || {
                        self.token(grant, url, http, refusals).await
                    })
                    .await?,
            ),
            Kind::Session(session) => Some(
                self.holder
                    .get(http.clock(), async || {
                        self.session(session, http, refusals).await
                    })
                    .await?,
            ),
            _ => None,
        };
        let trees = self.trees(http);
        let mut request = self.with_proof(request, token.as_deref(), &trees)?;
        for (name, value) in &self.headers {
            if let Some(value) = trees.text(value)? {
                request = request.header(name.clone(), value);
            }
        }
        Ok((request, Proof(token)))
    }

    fn with_proof(
        &self,
        mut request: Request,
        token: Option<&Token>,
        trees: &SecretTrees,
    ) -> Result<Request, ConnectError> {
        Ok(match &self.kind {
            Kind::None => request,
            Kind::Header(pair) => request.header(pair.name.clone(), trees.needed(&pair.value)?),
            Kind::Query(pair) => {
                let value = trees.needed(&pair.value)?;
                request.query(pair.name.clone(), value.expose_secret())
            }
            Kind::Body(pair) => {
                request.add_to_body(&pair.name, &trees.needed(&pair.value)?);
                request
            }
            Kind::Basic(pair) => request.basic(trees.basic(pair)?),
            Kind::Bearer(token) => bearer(request, &trees.needed(token)?),
            Kind::WsSecurity(pair) => {
                let basic = trees.basic(pair)?;
                let header = ws_security::header(&basic.user, basic.password.expose_secret());
                request.change_text(|text| text.replace(ws_security::PLACE, &header));
                request
            }
            Kind::Token { .. } => match token {
                Some(token) => bearer(request, &token.value),
                None => request,
            },
            Kind::Session(session) => {
                let Some(token) = token else {
                    return Ok(request);
                };
                let trees = trees.with_token(&token.value);
                match &session.send {
                    Send::Bearer => bearer(request, &token.value),
                    Send::Header(pair) => {
                        request.header(pair.name.clone(), trees.needed(&pair.value)?)
                    }
                    Send::Basic(pair) => request.basic(trees.basic(pair)?),
                    Send::Query(pair) => {
                        let value = trees.needed(&pair.value)?;
                        request.query(pair.name.clone(), value.expose_secret())
                    }
                }
            }
        })
    }

    /// The proof was refused: it is not used again.
    pub(crate) async fn forget(&self, proof: &Proof) {
        if let Some(token) = &proof.0 {
            self.holder.forget(token).await;
        }
    }

    fn trees(&self, http: &HttpClient) -> SecretTrees {
        let mut secrets = Map::new();
        for (name, secret) in &self.secrets {
            secrets.insert(name.clone(), secret.expose_secret().into());
        }
        SecretTrees {
            general: General::now(&self.settings, &http.base().host(), http.clock()),
            secrets: Json::Object(secrets),
            token: Json::Null,
        }
    }

    async fn token(
        &self,
        grant: &Grant,
        url: &Template,
        http: &HttpClient,
        refusals: &Refusals,
    ) -> Result<Token, ConnectError> {
        let trees = self.trees(http);
        let address = trees.needed(url)?;
        let address = match address.expose_secret() {
            path if path.starts_with('/') => http.base().join(path),
            whole => whole_address(whole)?,
        };
        let mut form: Vec<(String, SecretString)> = Vec::new();
        let mut basic = None;
        let mut as_json = false;
        let more = match grant {
            Grant::ClientCredentials {
                client,
                json,
                form: more,
            } => {
                form.push(("grant_type".to_owned(), "client_credentials".into()));
                basic = trees.client(client, &mut form)?;
                as_json = *json;
                more
            }
            Grant::Refresh {
                client,
                secret,
                form: more,
            } => {
                form.push(("grant_type".to_owned(), "refresh_token".into()));
                let stored = match &self.keep {
                    Some(keep) => keep.latest(secret).await?,
                    None => None,
                };
                let entered = || self.secrets.get(secret).cloned();
                let refresh = stored.or_else(entered);
                let refresh = refresh.ok_or_else(|| crate::settings::missing_secret(secret))?;
                form.push(("refresh_token".to_owned(), refresh));
                basic = trees.client(client, &mut form)?;
                more
            }
            Grant::Jwt {
                key,
                key_id,
                claims,
                lifetime,
                form: more,
            } => {
                let key = SigningKey::from_pem(trees.needed(key)?.expose_secret())?;
                let key_id = match key_id {
                    Some(id) => trees.text(id)?,
                    None => None,
                };
                let mut said = Map::new();
                for (name, value) in claims {
                    if let Some(value) = trees.text(value)? {
                        said.insert(name.clone(), value.expose_secret().into());
                    }
                }
                let now = http.clock().now().as_second();
                said.insert("iat".to_owned(), now.into());
                said.insert("exp".to_owned(), (now + lifetime).into());
                let id = key_id.as_ref().map(ExposeSecret::expose_secret);
                let assertion = jwt::signed(&key, id, said)?;
                let kind = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                form.push(("grant_type".to_owned(), kind.into()));
                form.push(("assertion".to_owned(), assertion.into()));
                more
            }
            Grant::Saml(saml) => {
                let assertion = trees.assertion(saml, address.as_str(), http)?;
                let kind = "urn:ietf:params:oauth:grant-type:saml2-bearer";
                form.push(("grant_type".to_owned(), kind.into()));
                form.push(("assertion".to_owned(), assertion.into()));
                &saml.form
            }
        };
        for (name, value) in more {
            if let Some(value) = trees.text(value)? {
                form.push((name.clone(), value));
            }
        }
        // A refresh token that is used twice may be taken for stolen; any other
        // grant changes nothing.
        let request = Request::to(Method::POST, address);
        let mut request = match grant {
            Grant::Refresh { .. } => request,
            _ => request.repeatable(),
        };
        request = match as_json {
            true => request.json(Json::Object(
                (form.into_iter())
                    .map(|(name, value)| (name, value.expose_secret().into()))
                    .collect(),
            )),
            false => request.form(form),
        };
        if let Some(basic) = basic {
            request = request.basic(basic);
        }
        let answer = http.send(&request).await?;
        if !answer.is_success() {
            return Err(refused(&answer, refusals));
        }
        let text = |name: &str| answer.json.get(name).and_then(Json::as_str);
        let value = text("access_token")
            .filter(|token| !token.is_empty())
            .ok_or_else(|| {
                refusals.unexpected("the answer to the request for a token holds none", &answer)
            })?;
        if let (Grant::Refresh { secret, .. }, Some(next)) = (grant, text("refresh_token")) {
            // Kept before anything is done with the access token: a crash in
            // between must not leave the only good refresh token behind.
            if let Some(keep) = &self.keep {
                keep.keep(secret, SecretString::from(next)).await?;
            }
        }
        let seconds = answer.json.get("expires_in").and_then(seconds);
        Ok(Token::new(SecretString::from(value), seconds, http.clock()))
    }

    async fn session(
        &self,
        session: &Session,
        http: &HttpClient,
        refusals: &Refusals,
    ) -> Result<Token, ConnectError> {
        let trees = self.trees(http);
        let mut request = session.request.request(http.base(), &trees.scope())?;
        if let Some(basic) = &session.basic {
            request = request.basic(trees.basic(basic)?);
        }
        let answer = http.send(&request).await?;
        if refusals.meaning(&answer).is_some() {
            return Err(refused(&answer, refusals));
        }
        let token = session.token.find(&answer.json).and_then(Json::as_str);
        let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
            refusals.unexpected(
                "the answer to the request for a session holds none",
                &answer,
            )
        })?;
        if let Some(expires) = &session.expires {
            let until = trees.needed(expires)?;
            let until = instant(until.expose_secret()).ok_or_else(no_instant)?;
            return Ok(Token::until(SecretString::from(token), until));
        }
        let told = session
            .expires_in
            .as_ref()
            .and_then(|pointer| pointer.find(&answer.json));
        let seconds = told.and_then(seconds).or(session.lifetime);
        Ok(Token::new(SecretString::from(token), seconds, http.clock()))
    }
}

/// At this place a refusal is about the credentials, whatever its status.
fn refused(answer: &Answer, refusals: &Refusals) -> ConnectError {
    match answer.status {
        200..=299 | 400 | 401 | 403 | 404 | 422 => refusals.token_refused(answer),
        _ => refusals.error(answer),
    }
}

/// An instant, or the beginning of a day in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let day = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(day)
}

fn no_instant() -> ConnectError {
    ConnectError::new(
        ErrorKind::Settings,
        "manifest.expression",
        "what the manifest says of a session's end is no instant and no day",
        "report it with the connector's name and version",
    )
}

fn seconds(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn bearer(request: Request, token: &SecretString) -> Request {
    let value = format!("Bearer {}", token.expose_secret());
    request.header("authorization", value)
}

/// The variables of a proof.
struct SecretTrees {
    general: General,
    secrets: Json,
    token: Json,
}

impl SecretTrees {
    fn scope(&self) -> Scope<'_> {
        self.general
            .scope()
            .with("secret", &self.secrets)
            .with("token", &self.token)
    }

    fn with_token(&self, token: &SecretString) -> Self {
        Self {
            general: self.general.clone(),
            secrets: self.secrets.clone(),
            token: Json::String(token.expose_secret().to_owned()),
        }
    }

    fn text(&self, template: &Template) -> Result<Option<SecretString>, ConnectError> {
        let text = template
            .render(&self.scope(), Escape::None)
            .map_err(not_made)?;
        Ok(text.map(SecretString::from))
    }

    fn needed(&self, template: &Template) -> Result<SecretString, ConnectError> {
        self.text(template)?.ok_or_else(|| {
            ConnectError::new(
                ErrorKind::Settings,
                "settings.missing",
                "a secret or setting that the sign-in needs is missing",
                "enter the connector's secrets and settings; `muster connectors show` lists them",
            )
        })
    }

    fn basic(&self, pair: &BasicPair) -> Result<Basic, ConnectError> {
        Ok(Basic {
            user: self.needed(&pair.user)?.expose_secret().to_owned(),
            password: self.needed(&pair.password)?,
        })
    }

    fn client(
        &self,
        client: &Client,
        form: &mut Vec<(String, SecretString)>,
    ) -> Result<Option<Basic>, ConnectError> {
        if let Some(scope) = &client.scope
            && let Some(scope) = self.text(scope)?
        {
            form.push(("scope".to_owned(), scope));
        }
        let id = self.needed(&client.id)?;
        let secret = match &client.secret {
            Some(secret) => Some(self.needed(secret)?),
            None => None,
        };
        if client.place == ClientPlace::Basic {
            return Ok(Some(Basic {
                user: id.expose_secret().to_owned(),
                password: secret.unwrap_or_default(),
            }));
        }
        form.push(("client_id".to_owned(), id));
        form.extend(secret.map(|secret| ("client_secret".to_owned(), secret)));
        Ok(None)
    }

    fn assertion(
        &self,
        saml: &Saml,
        token_url: &str,
        http: &HttpClient,
    ) -> Result<String, ConnectError> {
        let key = SigningKey::from_pem(self.needed(&saml.key)?.expose_secret())?;
        let certificate = match &saml.certificate {
            Some(certificate) => self.text(certificate)?,
            None => None,
        };
        let certificate = certificate.and_then(|text| saml::certificate(text.expose_secret()));
        let recipient = match &saml.recipient {
            Some(recipient) => self.needed(recipient)?.expose_secret().to_owned(),
            None => token_url.to_owned(),
        };
        let mut attributes = Vec::new();
        for (name, value) in &saml.attributes {
            if let Some(value) = self.text(value)? {
                attributes.push((name.clone(), value.expose_secret().to_owned()));
            }
        }
        let issuer = self.needed(&saml.issuer)?;
        let subject = self.needed(&saml.subject)?;
        let audience = self.needed(&saml.audience)?;
        let assertion = Assertion {
            issuer: issuer.expose_secret(),
            subject: subject.expose_secret(),
            subject_format: saml.subject_format.as_deref(),
            audience: audience.expose_secret(),
            recipient: &recipient,
            attributes: &attributes,
            lifetime_seconds: saml.lifetime,
        };
        assertion.signed(&key, certificate.as_deref(), http.clock().now())
    }
}
