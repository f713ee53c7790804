prepare q(bigint,bigint) as select t.phenomenon_time as p0, t.phenomenon_end as p1, t.number as p2, t.truth as p3, t.text as p4, t.json as p5, t.result_time as p6, t.result_quality as p7, t.valid_time as p8, t.parameters as p9, (case when t.implausible then 'implausible' else 'plausible' end) as p10, t.id from "observations" t where true and not t.withdrawn and exists (select 1 from "datastreams" o where o.id = $1 and true and o.visibility = 'public') and t.datastream_id = $2 order by t.phenomenon_time desc limit 128;
set plan_cache_mode=force_custom_plan;
explain (analyze,buffers) execute q(5,5);
set plan_cache_mode=force_generic_plan;
explain (analyze,buffers) execute q(5,5);
explain (analyze,buffers) execute q(5,5);
