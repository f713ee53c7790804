-- A device's key is a bearer token, shown once; what is stored is its SHA-256. A key is never deleted, so that it stays known who could write when.
create table dos_device_keys (
  sha256 bytea primary key check (length(sha256) = 32),
  id text not null,
  roles text[] not null,
  city text,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

create index dos_device_keys_id on dos_device_keys (id, created_at);
