create function status_rank(status text) returns int language sql immutable as $$
    select case status
        when 'queued' then 0 when 'sending' then 1 when 'unknown' then 2 when 'sent' then 3
        when 'failed' then 4 when 'canceled' then 4 when 'delivered' then 5 when 'read' then 6
        else 0 end
$$;

-- Whether a person has written since a question was put.
create function was_overtaken(org uuid, contact uuid, asked int)
returns boolean language plpgsql stable as $$
begin
    return exists (select 1 from conversations v
                    where v.organisation_id = org and v.contact_id = contact and v.seq > asked);
end $$;

-- In plpgsql, whose plans are kept; `orgs` and `ids` are those of `done`, for the index.
create function mark_messages(worker text, orgs uuid[], ids uuid[], done json)
returns void language plpgsql as $$
begin
    update messages m
       set status = case when m.status = 'sending' or status_rank(d.status) > status_rank(m.status)
                         then d.status else m.status end,
           provider_id = coalesce(d.provider_id, m.provider_id),
           -- A callback that came before our own word may have said already why it failed.
           error_code = case when m.status = 'sending' or status_rank(d.status) > status_rank(m.status)
                             then d.error_code else coalesce(m.error_code, d.error_code) end,
           text_hash = coalesce(d.text_hash, m.text_hash),
           due_at = coalesce(d.due_at, m.due_at),
           attempts = m.attempts - case when d.refund then 1 else 0 end,
           sent_at = case when d.status = 'sent' then coalesce(m.sent_at, d.at) else m.sent_at end,
           leased_by = null,
           -- The provider may still tell us, or the person may answer: wait before deciding.
           leased_until = case when d.status = 'unknown'
                               then clock_timestamp() + interval '20 seconds' end
      from json_to_recordset(done) as d(org uuid, id uuid, status text, provider_id text,
           error_code text, text_hash bytea, due_at timestamptz, at timestamptz, refund boolean)
     where m.organisation_id = any (orgs) and m.id = any (ids)
       and m.organisation_id = d.org and m.id = d.id
       and (m.leased_by = worker or m.leased_by is null);
end $$;

-- Records what became of messages, then claims what is due: both in one transaction.
create function delivery_turn(
    worker text, orgs uuid[], ids uuid[], done json, wanted int, lease interval,
    clock timestamptz, rooms json)
returns table (
    organisation_id uuid, id uuid, contact_id uuid, channel_id uuid, kind text, lane smallint,
    content jsonb, flow_version_id uuid, question text, language text, sealed bytea, edits text,
    session_id uuid, attempts smallint, seq int, scheme text, address_id uuid,
    sealed_address bytea, address_status text, window_until timestamptz, wrapped_key bytea,
    contact_status text, superseded boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    budget record;
    filled_at timestamptz;
    tokens_left real;
    allowed int;
    broadcasting boolean;
    lanes smallint[];
    taken int;
    room int := wanted;
    channel_room int;
begin
    if done is not null then
        perform mark_messages(worker, orgs, ids, done);
    end if;
    if wanted <= 0 then
        return;
    end if;

    -- Lane by lane, so that what is due later in one lane is never read to find what is due now.
    for budget in
        select b.*, waiting.lanes
          from channel_budgets b
          join channels c on c.organisation_id = b.organisation_id and c.id = b.channel_id
         cross join lateral (
             select array_agg(l.lane) as lanes
               from unnest('{0,1,2}'::smallint[]) as l(lane)
              cross join lateral (
                  select 1 from messages m
                   where m.channel_id = b.channel_id and m.lane = l.lane
                     and m.status = 'queued' and m.due_at <= clock limit 1) as one) as waiting
         where c.status = 'active'
           and (b.paused_until is null or b.paused_until <= clock_timestamp())
           and waiting.lanes is not null
           for no key update of b skip locked
    loop
        exit when room <= 0;
        channel_room := coalesce((rooms->>budget.channel_id::text)::int,
                                 (rooms->>'others')::int, wanted);
        -- The instant counted up to is the one that is kept: what a claim takes is refilled too.
        filled_at := clock_timestamp();
        tokens_left := least(budget.burst, budget.tokens
            + budget.rate * greatest(0, extract(epoch from filled_at - budget.refilled_at)));

        -- Whether one waits behind another is looked up by a hash: a btree of the few messages that
        -- statistics know of would be read whole, for each candidate, once 100,000 have come.
        -- An earlier message that waits for its next try soon holds back the later ones of its
        -- address; one that waits longer is overtaken, and given up if it is a question by then.
        -- Replies may run ahead of the rate as far as the provider queues them; broadcasts wait,
        -- and leave half of a large bucket: what a busy worker sends late then still fits.
        foreach broadcasting in array array[false, true] loop
            lanes := case when broadcasting then array[2]::smallint[]
                          else array_remove(budget.lanes, 2::smallint) end;
            allowed := least(room, channel_room, floor(
                tokens_left + case when not broadcasting then budget.overdraft
                                   when budget.burst >= 10 then -budget.burst / 2
                                   else 0 end)::int);
            continue when allowed < 1 or not lanes && budget.lanes;
            return query
            with m as (  -- the rows are locked: their places hold
                update messages t
                   set status = 'sending', attempts = t.attempts + 1, leased_by = worker,
                       leased_until = clock_timestamp() + lease
                 where t.ctid = any (array(
                     select r.place
                       from unnest(lanes) as l(lane)
                      cross join lateral (
                          select m.ctid as place from messages m
                           where m.channel_id = budget.channel_id and m.lane = l.lane
                             and m.status = 'queued' and m.due_at <= clock
                             and not exists (
                                 select 1 from messages e
                                  where e.organisation_id = m.organisation_id
                                    and e.contact_id = m.contact_id and e.address_id = m.address_id
                                    and e.status in ('queued', 'sending')
                                    and (e.status = 'sending' or ((e.lane, e.id) < (m.lane, m.id)
                                         and e.due_at <= clock + interval '20 seconds')))
                           order by m.due_at, m.id
                           limit allowed
                             for no key update of m skip locked) as r
                      limit allowed))
                returning t.*)
            select m.organisation_id, m.id, m.contact_id, m.channel_id, m.kind, m.lane, m.content,
                   m.flow_version_id, m.question, m.language, m.sealed, m.edits, m.session_id,
                   m.attempts, m.seq, a.scheme, a.id, a.sealed, a.status, a.window_until,
                   c.wrapped_key, c.status,
                   -- A pushed question is stale once its person wrote, whenever that was: they
                   -- were told it then, or have gone on to something else.
                   case when m.kind = 'broadcast' and m.question is not null
                             or m.kind = 'question'
                             and (m.attempts > 1 or m.due_at > m.created_at + interval '20 seconds')
                        then was_overtaken(m.organisation_id, m.contact_id, m.seq)
                        else false end
              from m
              cross join lateral (
                  select * from addresses
                   where organisation_id = m.organisation_id and id = m.address_id limit 1) a
              cross join lateral (
                  select * from contacts
                   where organisation_id = m.organisation_id and id = m.contact_id limit 1) c
             order by m.lane, m.due_at, m.id;
            get diagnostics taken = row_count;
            tokens_left := tokens_left - taken;
            room := room - taken;
            channel_room := channel_room - taken;
        end loop;

        update channel_budgets b
           set tokens = tokens_left, refilled_at = filled_at
         where b.organisation_id = budget.organisation_id and b.channel_id = budget.channel_id;
    end loop;
end $$;

create function renew_leases(worker text, ids uuid[], lease interval)
returns void language sql as $$
    update messages m set leased_until = clock_timestamp() + lease
     where m.id = any(ids) and m.status = 'sending' and m.leased_by = worker
$$;

create function give_back(worker text, begun uuid[])
returns table (given bigint, held bigint)
language sql as $$
    with leased as (
        select m.organisation_id, m.id from messages m
         where m.status in ('sending', 'unknown') and m.leased_until is not null
           and m.status = 'sending' and m.leased_by = worker),
    moved as (
        update messages m
           set status = 'queued', attempts = m.attempts - 1, leased_by = null, leased_until = null
          from leased l
         where m.organisation_id = l.organisation_id and m.id = l.id and m.leased_by = worker
           and m.id <> all (begun)
        returning 1)
    select (select count(*) from moved), (select count(*) from leased) - (select count(*) from moved)
$$;

-- Replies that were written as claimed, and whose worker was not there to take them.
create function hand_back(org uuid, worker text, handed uuid[])
returns void language plpgsql as $$
begin
    perform set_config('app.organisation', org::text, true);
    update messages m
       set status = 'queued', attempts = m.attempts - 1, leased_by = null, leased_until = null
     where m.organisation_id = org and m.id = any (handed) and m.status = 'sending'
       and m.leased_by = worker;
end $$;

create function recover_messages(most int)
returns table (kind text, outcome text, n bigint)
language sql as $$
    with lost as (
        select m.organisation_id, m.id, m.contact_id, m.kind, m.attempts, m.seq,
               -- An answer to it may be on its way for as long as Twilio tries.
               m.kind = 'question' and m.status = 'sending'
               and m.leased_until > clock_timestamp() - interval '8 seconds' as waits
          from messages m
         where m.status in ('sending', 'unknown') and m.leased_until < clock_timestamp()
         order by m.leased_until limit most
           for no key update of m skip locked),
    decided as (
        select l.organisation_id, l.id, l.kind, l.waits,
               case when l.kind = 'rights' then case when l.attempts < 2 then 'queued' else 'unknown' end
                    when l.kind = 'broadcast' then 'unknown'
                    -- Nobody answers a notice, so it harms nobody to read it twice.
                    when l.kind = 'notice' then case when l.attempts < 3 then 'queued' else 'unknown' end
                    when v.seq is distinct from l.seq then 'sent'
                    when l.attempts < 4 then 'queued'
                    else 'unknown' end as outcome
          from lost l
          left join conversations v on v.organisation_id = l.organisation_id
               and v.contact_id = l.contact_id),
    moved as (
        update messages m set status = d.outcome, leased_by = null, leased_until = null
          from decided d
         where m.organisation_id = d.organisation_id and m.id = d.id
           and not (d.waits and d.outcome = 'queued')
        returning d.kind, d.outcome)
    select moved.kind, moved.outcome, count(*) from moved group by 1, 2
$$;

create function record_status(org uuid, line uuid, reference uuid, provider text, reported text, error text)
returns table (contact_id uuid, address_id uuid, kind text, moved boolean)
language plpgsql as $$
#variable_conflict use_column
declare
    found_id uuid;
    before text;
begin
    perform set_config('app.organisation', org::text, true);
    if reference is not null then
        select m.id, m.status into found_id, before from messages m
         where m.organisation_id = org and m.id = reference and m.channel_id = line
           and m.direction = 'out' for no key update of m;
    else
        select m.id, m.status into found_id, before from messages m
         where m.organisation_id = org and m.channel_id = line and m.provider_id = provider
           and m.direction = 'out' limit 1 for no key update of m;
    end if;
    if found_id is null then
        return;
    end if;
    update messages m
       set provider_id = coalesce(m.provider_id, provider),
           status = case when status_rank(reported) > status_rank(m.status)
                          and m.status not in ('failed', 'canceled') then reported else m.status end,
           error_code = case when status_rank(reported) > status_rank(m.status)
                          and m.status not in ('failed', 'canceled')
                          then coalesce(error, m.error_code) else m.error_code end
     where m.organisation_id = org and m.id = found_id;
    return query
    select m.contact_id, m.address_id, m.kind, m.status <> before from messages m
     where m.organisation_id = org and m.id = found_id;
end $$;

-- Good news of many messages at once; which of them are settled. A row that somebody else holds is
-- left out, not waited for, so this holds up nobody and nobody it.
create function record_statuses(org uuid, line uuid, told json)
returns table (reference uuid)
language plpgsql as $$
begin
    perform set_config('app.organisation', org::text, true);
    return query
    with seen as (
        select m.id, t.provider, t.reported,
               m.provider_id is null or m.status not in ('failed', 'canceled')
               and status_rank(t.reported) > status_rank(m.status) as moves
          from json_to_recordset(told) as t(reference uuid, provider text, reported text)
         cross join lateral (
             select * from messages
              where organisation_id = org and id = t.reference and channel_id = line
                and direction = 'out' limit 1) m),
    free as (
        select m.id, s.provider, s.reported
          from seen s
         cross join lateral (
             select * from messages
              where organisation_id = org and id = s.id limit 1
                for no key update skip locked) m
         where s.moves),
    moved as (
        update messages m
           set provider_id = coalesce(m.provider_id, f.provider),
               status = case when status_rank(f.reported) > status_rank(m.status)
                              and m.status not in ('failed', 'canceled')
                             then f.reported else m.status end
          from free f
         where m.organisation_id = org and m.id = f.id
        returning m.id)
    select s.id from seen s where not s.moves
    union all
    select moved.id from moved;
end $$;
