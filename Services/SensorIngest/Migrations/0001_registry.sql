-- The registry's read models. Ids come from the sequences below before an event is appended and are carried in it; a row is written from the registry's one partition only.
select dos_create_entity_ids('things');
select dos_create_entity_ids('locations');
select dos_create_entity_ids('historical_locations');
select dos_create_entity_ids('sensors');
select dos_create_entity_ids('observed_properties');
select dos_create_entity_ids('features_of_interest');
select dos_create_entity_ids('datastreams');

-- Retired and closed rows stay: observations refer to them. Withdrawn catalogue entries go.
create table things (
  id bigint primary key,
  name text not null,
  description text not null,
  properties jsonb,
  city text not null,
  governance jsonb not null,
  registered_at timestamptz not null,
  retired_at timestamptz
);

create table locations (
  id bigint primary key,
  name text not null,
  description text not null,
  encoding_type text not null,
  location jsonb not null,
  properties jsonb
);

create table thing_locations (
  thing_id bigint not null,
  location_id bigint not null,
  primary key (thing_id, location_id)
);
create index thing_locations_by_location on thing_locations (location_id);

create table historical_locations (
  id bigint primary key,
  thing_id bigint not null,
  time timestamptz not null
);
create index historical_locations_by_thing on historical_locations (thing_id);

create table historical_location_locations (
  historical_location_id bigint not null,
  location_id bigint not null,
  primary key (historical_location_id, location_id)
);
create index historical_location_locations_by_location on historical_location_locations (location_id);

create table sensors (
  id bigint primary key,
  name text not null,
  description text not null,
  encoding_type text not null,
  metadata jsonb not null,
  properties jsonb
);

create table observed_properties (
  id bigint primary key,
  name text not null,
  definition text not null,
  description text not null,
  properties jsonb
);

create table features_of_interest (
  id bigint primary key,
  name text not null,
  description text not null,
  encoding_type text not null,
  feature jsonb not null,
  properties jsonb
);

create table datastreams (
  id bigint primary key,
  thing_id bigint not null,
  sensor_id bigint not null,
  observed_property_id bigint not null,
  name text not null,
  description text not null,
  unit jsonb not null,
  observation_type text not null,
  plausible_min double precision,
  plausible_max double precision,
  visibility text not null,
  reporting jsonb not null,
  city text not null,
  governance jsonb not null,
  properties jsonb,
  opened_at timestamptz not null,
  closed_at timestamptz
);
create index datastreams_by_thing on datastreams (thing_id);
create index datastreams_by_sensor on datastreams (sensor_id);
create index datastreams_by_observed_property on datastreams (observed_property_id);
