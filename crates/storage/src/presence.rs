//! Is the process that holds something still alive?
//!
//! A killed process gives nothing back. What the system itself takes back when a
//! process ends tells at once that it is gone: on the embedded database the lock
//! of a file, on a server the lock of a session. A lease says the rest: that of a
//! process that lives and does nothing runs out.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use muster_model::IdSource;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::StorageError;
use crate::location::Location;
use crate::postgres;

/// The folder of the processes' files, inside that of the data.
const FOLDER: &str = "processes";
/// Ids tried until one is nobody's; the first is, unless ids repeat as in tests.
const MOST_IDS: u32 = 1_000;

/// How others can tell that this process lives.
#[derive(Debug)]
pub(crate) struct Presence {
    place: Place,
    held: Mutex<Option<Held>>,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Server(Box<PgConnectOptions>),
}

#[derive(Debug)]
struct Held {
    holder: Uuid,
    lock: Lock,
}

#[derive(Debug)]
enum Lock {
    /// The lock goes with the open file.
    File { _file: File, path: PathBuf },
    /// The lock goes with the session.
    Session(Box<PgConnection>),
}

impl Presence {
    /// Beside the data of a location.
    pub(crate) fn at(location: &Location) -> Result<Self, StorageError> {
        Ok(match location {
            Location::Directory(folder) => Self::in_folder(folder),
            Location::Url(url) => Self::on_server(postgres::engine::options(url)?),
        })
    }

    fn in_folder(data: &Path) -> Self {
        Self {
            place: Place::Folder(data.join(FOLDER)),
            held: Mutex::new(None),
        }
    }

    fn on_server(options: PgConnectOptions) -> Self {
        Self {
            place: Place::Server(Box::new(options)),
            held: Mutex::new(None),
        }
    }

    /// The id under which this process holds leases, from now on believed to live.
    pub(crate) async fn hold(&self, ids: &dyn IdSource) -> Result<Uuid, StorageError> {
        let mut held = self.held.lock().await;
        if let Some(held) = &*held {
            return Ok(held.holder);
        }
        for _ in 0..MOST_IDS {
            let holder = ids.next_uuid();
            if let Some(lock) = self.lock(holder).await? {
                *held = Some(Held { holder, lock });
                return Ok(holder);
            }
        }
        Err(StorageError::Busy)
    }

    /// Renews what an outage of the server's connection took away.
    pub(crate) async fn keep(&self) -> Result<(), StorageError> {
        let mut held = self.held.lock().await;
        let Some(Held { holder, lock }) = &mut *held else {
            return Ok(());
        };
        if let Lock::Session(session) = lock
            && session.ping().await.is_err()
            && let Some(renewed) = self.lock(*holder).await?
        {
            *lock = renewed;
        }
        Ok(())
    }

    /// Is the process of a file gone? Then its file is taken away.
    pub(crate) fn file_is_free(&self, holder: Uuid) -> bool {
        let Place::Folder(folder) = &self.place else {
            return false;
        };
        let path = folder.join(holder.to_string());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => return error.kind() == std::io::ErrorKind::NotFound,
        };
        if file.try_lock().is_err() {
            return false;
        }
        // A file that cannot be removed is found free again.
        let _ = std::fs::remove_file(&path);
        true
    }

    async fn lock(&self, holder: Uuid) -> Result<Option<Lock>, StorageError> {
        match &self.place {
            Place::Folder(folder) => {
                lock_file(folder, holder).map_err(|error| StorageError::Directory {
                    path: folder.clone(),
                    reason: error.kind(),
                })
            }
            Place::Server(options) => {
                let mut session = PgConnection::connect_with(options).await?;
                let locked: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
                    .bind(lock_key(holder))
                    .fetch_one(&mut session)
                    .await?;
                Ok(locked.then(|| Lock::Session(Box::new(session))))
            }
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some(Held {
            lock: Lock::File { path, .. },
            ..
        }) = self.held.get_mut()
        {
            // Left behind, it would only be found free.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The key of a holder's lock on the server.
pub(crate) fn lock_key(holder: Uuid) -> i64 {
    let (high, low) = holder.as_u64_pair();
    i64::from_ne_bytes((high ^ low).to_ne_bytes())
}

fn lock_file(folder: &Path, holder: Uuid) -> std::io::Result<Option<Lock>> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(holder.to_string());
    let file = match File::create_new(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock::File { _file: file, path })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
