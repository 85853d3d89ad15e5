//! Redis as the bus: one stream for all nodes of a database, which forgets what is old.

use super::bus::{Bus, Came, Ear, Mouth, Trouble};
use crate::error::Error;
use redis::{Client, Connection, RedisError, Value, cmd, pipe};
use std::time::Duration;

/// Letters that the stream holds, about: a node that is behind by more reads the store. At a few KiB each it is some tens
/// of MiB at the most.
const KEPT: usize = 10_000;

/// The longest letter. A body of the greatest length fits, and what is read in one turn.
const LONGEST: usize = 128 * 1024;

/// How long it may take to connect, and to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Letters read at once.
const PAGE: usize = 256;

/// The one field of an entry.
const FIELD: &str = "l";

/// Where a sentinel listens, if it is not said.
const SENTINEL_PORT: u16 = 26379;

/// A Redis server, and the stream in it.
pub struct Redis {
    place: Place,
    stream: String,
}

/// Where the server is.
enum Place {
    Here(Client),
    /// Where the sentinels say. The crate can ask them too, but would wait for one that is cut off for minutes.
    Watched(Sentinels),
}

struct Sentinels {
    sentinels: Vec<Client>,
    /// What they call the server.
    name: String,
    /// The URL of the server, before and behind its host and port.
    around: (String, String),
}

impl Redis {
    /// The stream of the database with that epoch.
    pub fn new(url: &str, epoch: &str) -> Result<Redis, Error> {
        Ok(Redis { place: Place::parse(url)?, stream: format!("parlor:{epoch}") })
    }

    /// Whether that is an address at all.
    pub fn check(url: &str) -> Result<(), Error> {
        Place::parse(url).map(drop)
    }

    fn connect(&self) -> Result<Connection, Trouble> {
        match &self.place {
            Place::Here(client) => connect(client),
            Place::Watched(sentinels) => sentinels.connect(),
        }
    }
}

impl Place {
    fn parse(url: &str) -> Result<Place, Error> {
        match url.split_once("+sentinel://") {
            Some((scheme, rest)) => Sentinels::parse(scheme, rest).map(Place::Watched),
            None => open(url).map(Place::Here),
        }
    }
}

impl Sentinels {
    /// Of `USER:PASSWORD@HOST:PORT,HOST:PORT/NAME/DATABASE`, of which the name is needed, and one host.
    fn parse(scheme: &str, rest: &str) -> Result<Sentinels, Error> {
        let wrong =
            || Error::Setting("--cluster: give redis+sentinel://HOST,HOST,HOST/NAME of the watched Redis".into());
        let (login, rest) = rest.rsplit_once('@').map_or(("", rest), |(login, rest)| (login, rest));
        let (hosts, path) = rest.split_once('/').ok_or_else(wrong)?;
        let (name, database) = path.split_once('/').unwrap_or((path, "0"));
        if name.is_empty() || hosts.is_empty() {
            return Err(wrong());
        }
        let has_port = |host: &str| host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let sentinel = |host: &str| match has_port(host) {
            true => open(&format!("{scheme}://{host}")),
            false => open(&format!("{scheme}://{host}:{SENTINEL_PORT}")),
        };
        let at = if login.is_empty() { "" } else { "@" };
        let around = (format!("{scheme}://{login}{at}"), format!("/{database}"));
        let sentinels = hosts.split(',').map(sentinel).collect::<Result<_, _>>()?;
        Ok(Sentinels { sentinels, name: name.into(), around })
    }

    /// To the server that the first of them names that answers, if that is one to which can be written.
    fn connect(&self) -> Result<Connection, Trouble> {
        let mut why = "no sentinel answers".to_owned();
        for sentinel in &self.sentinels {
            match self.ask(sentinel) {
                Ok(connection) => return Ok(connection),
                Err(cause) => why = cause,
            }
        }
        Err(why)
    }

    fn ask(&self, sentinel: &Client) -> Result<Connection, Trouble> {
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(&self.name);
        let place: Option<(String, u16)> = question.query(&mut connect(sentinel)?).map_err(said)?;
        let (host, port) = place.ok_or_else(|| format!("the sentinels know of no {}", self.name))?;
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let (before, behind) = &self.around;
        let client = Client::open(format!("{before}{host}:{port}{behind}")).map_err(said)?;
        let mut connection = connect(&client)?;
        let role: Vec<Value> = cmd("ROLE").query(&mut connection).map_err(said)?;
        match role.first() {
            Some(Value::BulkString(role)) if role == b"master" => Ok(connection),
            _ => Err(format!("{host}:{port} is not yet the Redis that takes writes")),
        }
    }
}

fn open(url: &str) -> Result<Client, Error> {
    Client::open(url).map_err(|cause| Error::Setting(format!("--cluster: {cause}")))
}

fn connect(client: &Client) -> Result<Connection, Trouble> {
    let connection = client.get_connection_with_timeout(PATIENCE).map_err(said)?;
    // It has none once it is connected.
    connection.set_read_timeout(Some(PATIENCE)).map_err(said)?;
    connection.set_write_timeout(Some(PATIENCE)).map_err(said)?;
    Ok(connection)
}

impl Bus for Redis {
    fn mouth(&self) -> Result<Box<dyn Mouth>, Trouble> {
        Ok(Box::new(Writer { connection: self.connect()?, stream: self.stream.clone() }))
    }

    fn ear(&self) -> Result<Box<dyn Ear>, Trouble> {
        let (mut connection, stream) = (self.connect()?, self.stream.clone());
        // Not "$": what comes between two reads would be missed.
        let mut newest = cmd("XREVRANGE");
        newest.arg(&stream).arg("+").arg("-").arg("COUNT").arg(1);
        let newest: Vec<Entry> = newest.query(&mut connection).map_err(said)?;
        let last = newest.into_iter().next().map_or_else(|| "0-0".into(), |(id, _)| id);
        Ok(Box::new(Reader { connection, stream, last }))
    }

    fn longest(&self) -> usize {
        LONGEST
    }

    fn carries_messages(&self) -> bool {
        true
    }

    fn shown(&self) -> String {
        match &self.place {
            Place::Here(client) => format!("Redis at {}", client.get_connection_info().addr()),
            Place::Watched(sentinels) => format!("the Redis that sentinels call {}", sentinels.name),
        }
    }
}

/// Its id, which begins with the milliseconds of Redis' clock, and its one field.
type Entry = (String, (String, Vec<u8>));

struct Writer {
    connection: Connection,
    stream: String,
}

impl Mouth for Writer {
    fn send(&mut self, letters: &[Vec<u8>]) -> Result<(), Trouble> {
        let mut all = pipe();
        for letter in letters {
            all.cmd("XADD").arg(&self.stream).arg("MAXLEN").arg("~").arg(KEPT).arg("*").arg(FIELD).arg(letter).ignore();
        }
        all.query(&mut self.connection).map_err(said)
    }
}

struct Reader {
    connection: Connection,
    stream: String,
    /// The entry that was read last: what comes behind it is missed by nobody who is away for a moment.
    last: String,
}

impl Ear for Reader {
    fn listen(&mut self, patience: Duration) -> Result<Vec<Came>, Trouble> {
        // Redis holds the answer back for that long; only after that it is late.
        self.connection.set_read_timeout(Some(patience + PATIENCE)).map_err(said)?;
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(PAGE).arg("BLOCK").arg(patience.as_millis() as u64);
        read.arg("STREAMS").arg(&self.stream).arg(&self.last);
        let streams: Option<Vec<(String, Vec<Entry>)>> = read.query(&mut self.connection).map_err(said)?;
        let entries = streams.into_iter().flatten().flat_map(|(_, entries)| entries);
        let mut came = Vec::new();
        for (id, (_, letter)) in entries {
            let at = id.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or_default();
            came.push(Came { at, letter });
            self.last = id;
        }
        Ok(came)
    }
}

fn said(cause: RedisError) -> Trouble {
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_sentinels_names_what_they_watch() {
        let place = Place::parse("redis+sentinel://ann:secret@a,b:7000/chat/3").unwrap_or_else(|e| panic!("{e}"));
        let Place::Watched(sentinels) = place else { panic!() };
        let asked: Vec<String> =
            sentinels.sentinels.iter().map(|client| client.get_connection_info().addr().to_string()).collect();
        assert_eq!((asked, sentinels.name.as_str()), (vec!["a:26379".into(), "b:7000".into()], "chat"));
        assert_eq!(sentinels.around, ("redis://ann:secret@".into(), "/3".into()));
        for wrong in ["redis+sentinel://a,b", "redis+sentinel:///chat", "redis+sentinel://a/"] {
            assert!(Place::parse(wrong).err().unwrap().to_string().contains("HOST/NAME"), "{wrong}");
        }
        assert!(Redis::new("redis://h", "epoch").unwrap().shown().contains("h:6379"));
    }
}
