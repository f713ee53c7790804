-- Ids of observations are ids of entities: their sequence is named as those are, so that grants and restores treat it as one.
alter sequence observation_ids rename to entity_ids_observations;

-- The feature of interest that was made from a location.
alter table locations add column feature_id bigint;

-- What a reading is about: the feature that it names, or that of the place where its thing stood when it was taken.
alter table observations add column feature_id bigint;
alter table observation_revisions add column feature_id bigint;

-- Which datastreams have readings of a feature. Written with the readings and, like them, never dropped by a replay.
create table observed_features (
  feature_id bigint not null,
  datastream_id bigint not null,
  primary key (feature_id, datastream_id)
);
