-- Read models of the warning service's decisions, all from the one partition of its Journal, and what is due.

-- Made by whoever made the database where this role may not; then there is nothing to do.
create extension if not exists postgis;

-- One row per chain, for lists; what a chain is in full is read from its stream.
create table alerts (
  alert uuid primary key,
  city text not null,
  mode text not null,
  origin text not null,
  hint uuid,
  title text not null,
  severity text not null,
  -- drafted, submitted, returned, requested: of the message being prepared; null where none is
  stage text,
  draft uuid,
  draft_kind text,
  revision integer,
  authority text,
  head uuid,
  head_kind text,
  sent timestamptz,
  expires timestamptz,
  -- cancelled, all-clear, expired, never-issued
  ending text,
  review_due boolean not null,
  changed timestamptz not null
);
create index alerts_changed on alerts (changed desc, alert);

-- Every message that was issued, as it was published.
create table issued_messages (
  message uuid primary key,
  alert uuid not null,
  kind text not null,
  city text not null,
  mode text not null,
  sent timestamptz not null,
  expires timestamptz not null,
  category text not null,
  severity text not null,
  channels text[] not null,
  -- when another message took its place, or it expired
  over timestamptz,
  outline geometry(multipolygon, 4326) not null,
  published json not null
);
create index issued_messages_alert on issued_messages (alert, sent);
create index issued_messages_current on issued_messages (expires) where over is null;
create index issued_messages_sent on issued_messages (sent desc, message);
create index issued_messages_outline on issued_messages using gist (outline) where over is null;

create table hints (
  hint uuid primary key,
  rule uuid not null,
  version integer not null,
  city text not null,
  title text not null,
  note text not null,
  severity text not null,
  longitude double precision,
  latitude double precision,
  -- raised, acknowledged, confirmed, dismissed, cleared
  standing text not null,
  level integer not null,
  since timestamptz not null,
  raised timestamptz not null,
  changed timestamptz not null,
  readings json not null
);
create index hints_changed on hints (changed desc, hint);
create index hints_open on hints (city) where standing in ('raised', 'acknowledged', 'confirmed');

-- One row per parcel and destination.
create table deliveries (
  stream text not null,
  message uuid not null,
  subject uuid not null,
  channel text not null,
  target uuid,
  kind text not null,
  -- waiting, due, attempting, delivered, given-up
  status text not null,
  attempts integer not null,
  next timestamptz,
  reason text,
  receipt json,
  handed timestamptz not null,
  changed timestamptz not null,
  primary key (stream, message)
);
create index deliveries_subject on deliveries (subject, channel, handed);
create index deliveries_unfinished on deliveries (channel) where status in ('waiting', 'due', 'attempting');

create table warning_deadlines (stream text not null, kind text not null, due timestamptz not null, primary key (stream, kind));
create index warning_deadlines_due on warning_deadlines (due);

create table releases (
  release uuid primary key,
  city text not null,
  mode text not null,
  window_from timestamptz not null,
  window_until timestamptz not null,
  reason text not null,
  -- proposed, approved, revoked
  status text not null
);

-- Who gets what is sent: a vault, since an address may be a person's. Events name a target by its id.
create table delivery_targets (
  target uuid primary key,
  city text not null,
  -- webhook, email
  channel text not null,
  name text not null,
  -- a URL, or addresses of mail
  address text not null,
  -- signs what a webhook gets
  secret text,
  -- alerts, or the pages of one rota's level
  purpose text not null,
  unique (city, channel, name)
);

-- Where somebody is competent, and what districts are called: configuration, written anew at each start.
create table areas (
  kind text not null,
  id text not null,
  name text not null,
  city text,
  outline geometry(multipolygon, 4326) not null,
  primary key (kind, id)
);
create index areas_outline on areas using gist (outline);
