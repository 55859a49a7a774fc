-- What only a few messages ask for stands in functions of its own: a plan is made ready as a whole
-- for every call, whether its parts are needed or not.

-- Is a stranger's number one of somebody's, not long silent, who wants to hear from us and has told
-- us something worth not asking twice? (Each LIMIT keeps the planner from joining everybody's rows
-- before the number counts.)
create function is_known_number(org uuid, number bytea, today date)
returns boolean language plpgsql stable as $$
begin
    return exists (
        select 1 from (
            select n.contact_id from addresses n
             where n.organisation_id = org and n.number_hash = number
               and n.status = 'active'
               and coalesce(n.last_in_at, n.created_at) > today - interval '90 days'
             limit 100) n
          cross join lateral (
            select t.status from contacts t
             where t.organisation_id = org and t.id = n.contact_id limit 1) t
          cross join lateral (
            select q.consents from profiles q
             where q.organisation_id = org and q.contact_id = n.contact_id limit 1) q
         where t.status = 'active' and cardinality(q.consents) > 0);
end $$;

create function owner_of(org uuid, hash bytea)
returns uuid language plpgsql stable as $$
begin
    return (select a.contact_id from addresses a
             where a.organisation_id = org and a.address_hash = hash);
end $$;

-- Does WhatsApp know somebody by an id?
create function has_alias(org uuid, contact uuid)
returns boolean language plpgsql stable as $$
begin
    return exists (
        select 1 from addresses w
         where w.organisation_id = org and w.contact_id = contact and w.scheme = 'whatsapp-id');
end $$;

-- How far our latest message to somebody has come.
create function latest_status(org uuid, contact uuid)
returns text language plpgsql stable as $$
begin
    return (select m.status from messages m
             where m.organisation_id = org and m.contact_id = contact and m.direction = 'out'
             order by m.id desc limit 1);
end $$;

create function take_many(org uuid, line uuid, today date, heard json)
returns table (
    place int, repeated boolean, contact_id uuid, address_id uuid, address_status text,
    wrapped_key bytea, language text, contact_status text, stopped_at timestamptz, office_id uuid,
    origin jsonb, seq int, state jsonb, session_id uuid, tags int, window_started_at timestamptz,
    window_replies int, last_in_at timestamptz, consents text[], time_zone text,
    catalogue_version int, unconsented_left int, case_id uuid, heard_at timestamptz,
    shares_number boolean, alias_of uuid, other_alias boolean, registered_at timestamptz,
    answer text)
language plpgsql as $$
#variable_conflict use_column
begin
    perform set_config('app.organisation', org::text, true);
    return query
    -- LATERAL with LIMIT: one index probe a row whatever the statistics of a young table say.
    select asked.place,
           (select true from receipts r where r.organisation_id = org and r.channel_id = line
               and r.key = asked.receipt limit 1) is not null,
           c.id, a.id, a.status, c.wrapped_key, c.language, c.status, c.stopped_at, c.office_id,
           c.origin, v.seq, v.state, v.session_id, v.tags, v.window_started_at,
           v.window_replies, v.updated_at, p.consents, p.time_zone, o.catalogue_version,
           case when b.unconsented_day = today
                then b.unconsented_limit - b.unconsented_used else b.unconsented_limit end,
           v.case_id, a.last_in_at,
           case when a.id is null and asked.number is not null
                then is_known_number(org, asked.number, today) else false end,
           i.contact_id,
           case when asked.alias is not null and i.contact_id is null and a.id is not null
                then has_alias(org, a.contact_id) else false end,
           p.registered_at,
           case when v.state->'said' ? asked.mark then latest_status(org, v.contact_id) end
      from json_to_recordset(heard) as asked(place int, hash bytea, receipt bytea, number bytea,
               alias bytea, mark text)
      cross join lateral (
          select catalogue_version from organisations where id = org limit 1) o
      cross join lateral (
          select * from channel_budgets where organisation_id = org and channel_id = line limit 1) b
      left join lateral (
          select * from addresses
           where organisation_id = org and address_hash = asked.hash limit 1) a on true
      left join lateral (
          select * from contacts where organisation_id = org and id = a.contact_id limit 1) c on true
      left join lateral (
          select * from conversations
           where organisation_id = org and contact_id = a.contact_id limit 1) v on true
      left join lateral (
          select * from profiles
           where organisation_id = org and contact_id = a.contact_id limit 1) p on true
     cross join lateral (
          select case when asked.alias is not null then owner_of(org, asked.alias) end as contact_id
          offset 0) i;
end $$;

-- What happens seldom. Each part looks people up one by one, by their whole key.
create function apply_rare(org uuid, line uuid, rare json)
returns void language plpgsql as $$
declare
    silenced uuid[];
    one record;
begin
    -- STOP reaches every contact behind the same number, and everything still queued for them.
    if rare->'stops' is not null then
        select array_agg(distinct k.contact) into silenced
          from json_to_recordset(rare->'stops') as s(contact uuid, number_hash bytea)
          cross join lateral (
              select s.contact
              union all
              (select a.contact_id from addresses a
                where a.organisation_id = org and a.number_hash = s.number_hash offset 0)) k(contact);
        update contacts c set status = 'stopped', stopped_at = (rare->>'at')::timestamptz
         where c.organisation_id = org and c.id = any(silenced) and c.status = 'active';
        update messages m set status = 'canceled', error_code = 'stopped'
         where m.organisation_id = org and m.contact_id = any(silenced) and m.direction = 'out'
           and m.status = 'queued' and m.kind <> 'rights';
        update conversations v set seq = v.seq + 1
         where v.organisation_id = org and v.contact_id = any(silenced)
           and v.contact_id not in (select s.contact
               from json_to_recordset(rare->'stops') as s(contact uuid));
    end if;

    if rare->'returns' is not null then
        for one in select * from json_to_recordset(rare->'returns') as s(contact uuid) loop
            update contacts c set status = 'active', stopped_at = null
             where c.organisation_id = org and c.id = one.contact and c.status = 'stopped';
        end loop;
    end if;

    if rare->'addresses' is not null then
        for one in
            select * from json_to_recordset(rare->'addresses') as s(address uuid, status text)
        loop
            update addresses a set status = one.status
             where a.organisation_id = org and a.id = one.address;
        end loop;
    end if;

    -- The id under which WhatsApp knows somebody, beside their number. It may be there already.
    if rare->'aliases' is not null then
        insert into addresses (organisation_id, id, contact_id, channel_id, scheme, address_hash, sealed,
                               status, last_in_at, created_at, expires_at)
        select org, i.address, i.contact, line, 'whatsapp-id', i.address_hash, i.sealed, 'active', i.at,
               i.at, i.expires_at
          from json_to_recordset(rare->'aliases') as i(address uuid, contact uuid, address_hash bytea,
               sealed bytea, at timestamptz, expires_at timestamptz)
            on conflict (address_hash, organisation_id) do nothing;
    end if;

    -- WhatsApp's service window and the latest channel follow what the person last used.
    if rare->'windows' is not null then
        for one in
            select * from json_to_recordset(rare->'windows')
                as s(address uuid, window_until timestamptz, at timestamptz)
        loop
            update addresses a set window_until = one.window_until, last_in_at = one.at
             where a.organisation_id = org and a.id = one.address;
        end loop;
    end if;

    if rare->'dues' is not null then
        insert into due (organisation_id, id, contact_id, kind, session_id, payload, due_at, attempts,
                         expires_at)
        select org, d.id, d.contact, d.kind, d.session, d.payload, d.due_at, 0, d.expires_at
          from json_to_recordset(rare->'dues') as d(id uuid, contact uuid, kind text, session uuid,
               payload jsonb, due_at timestamptz, expires_at timestamptz);
    end if;

    -- One case a person: what they write while it is not closed joins it.
    if rare->'cases' is not null then
        insert into cases (organisation_id, id, contact_id, session_id, question, reason, status, unread,
                           opened_at, last_message_at, expires_at)
        select org, k.id, k.contact, k.session, k.question, k.reason, 'open', 1, k.at, k.at, k.expires_at
          from json_to_recordset(rare->'cases') as k(id uuid, contact uuid, session uuid, question text,
               reason text, at timestamptz, expires_at timestamptz)
            on conflict (contact_id, organisation_id) where status <> 'closed' do update
               set status = 'open', unread = cases.unread + 1,
                   last_message_at = excluded.last_message_at,
                   reason = case when excluded.reason = 'danger' then 'danger' else cases.reason end;
    end if;

    -- Words said again moved the conversation and nothing in it: what is on its way to the person is
    -- still the answer to the latest they wrote, and is sent again by the same rules.
    if rare->'echoes' is not null then
        for one in select * from json_to_recordset(rare->'echoes') as e(contact uuid, seq int) loop
            update messages m set seq = one.seq
             where m.organisation_id = org and m.contact_id = one.contact and m.direction = 'out'
               and m.status in ('queued', 'sending', 'unknown') and m.seq = one.seq - 1;
        end loop;
    end if;

    -- A new link to a person's own data takes the place of those not used.
    if rare->'links' is not null then
        for one in select * from json_to_recordset(rare->'links') as l(contact uuid) loop
            delete from member_links m
             where m.organisation_id = org and m.contact_id = one.contact and m.opened_at is null;
        end loop;
        insert into member_links (organisation_id, id, contact_id, token_hash, code_hash, language,
                                  created_at, expires_at)
        select org, l.id, l.contact, l.token_hash, l.code_hash, l.language, l.at, l.expires_at
          from json_to_recordset(rare->'links') as l(id uuid, contact uuid, token_hash bytea,
               code_hash bytea, language text, at timestamptz, expires_at timestamptz);
        insert into door (kind, key_hash, organisation_id, target_id)
        select 'member_link', l.token_hash, org, l.id
          from json_to_recordset(rare->'links') as l(id uuid, token_hash bytea);
    end if;

    if (rare->>'unconsented')::int > 0 then
        update channel_budgets b
           set unconsented_used = (rare->>'unconsented')::int
               + case when b.unconsented_day = (rare->>'today')::date then b.unconsented_used else 0 end,
               unconsented_day = (rare->>'today')::date
         where b.organisation_id = org and b.channel_id = line;
    end if;
end $$;

-- Whether so many messages of a channel may leave at once: all of them, or none. A budget that a
-- worker is just claiming by is not waited for.
create function spend_budget(org uuid, line uuid, wanted int)
returns boolean language plpgsql as $$
declare
    budget record;
    filled_at timestamptz;
    tokens_left real;
begin
    select b.* into budget
      from channel_budgets b
     where b.organisation_id = org and b.channel_id = line
       and (b.paused_until is null or b.paused_until <= clock_timestamp())
       and exists (select 1 from channels c
                    where c.organisation_id = org and c.id = line and c.status = 'active')
       for no key update skip locked;
    if not found then
        return false;
    end if;
    filled_at := clock_timestamp();
    tokens_left := least(budget.burst, budget.tokens
        + budget.rate * greatest(0, extract(epoch from filled_at - budget.refilled_at))) - wanted;
    if tokens_left + budget.overdraft < 0 then
        return false;
    end if;
    update channel_budgets b set tokens = tokens_left, refilled_at = filled_at
     where b.organisation_id = org and b.channel_id = line;
    return true;
end $$;

-- What a worker needs to send messages that were written as claimed by it, one text each.
create function letters_of(org uuid, ids uuid[])
returns setof text language plpgsql stable as $$
begin
    return query
    select row_to_json(letter)::text
      from unnest(ids) as i(id)
     cross join lateral (
         select m.organisation_id, m.id, m.contact_id, m.channel_id, m.kind, m.lane, m.content,
                m.flow_version_id, m.question, m.language, m.sealed, m.edits, m.session_id,
                m.attempts, m.seq, a.scheme, a.id as address_id, a.sealed as sealed_address,
                a.status as address_status, a.window_until, c.wrapped_key,
                c.status as contact_status, false as superseded
           from (select * from messages where organisation_id = org and id = i.id limit 1) m
          cross join lateral (
              select * from addresses
               where organisation_id = org and id = m.address_id limit 1) a
          cross join lateral (
              select * from contacts
               where organisation_id = org and id = m.contact_id limit 1) c) as letter;
end $$;

-- Updates go one by one, by their whole key: joined to the batch they would read everybody's rows
-- while a young table has no statistics. Inserts go together.
create function apply_many(
    org uuid, line uuid, moves json, newcomers json, said json, answered json,
    sessions json, consented json, profiled json, rare json, courier text, lease interval)
returns setof text language plpgsql as $$
declare
    move record;
    person record;
    fresh boolean := false;
    counted int;
    ahead uuid[];
begin
    perform set_config('app.organisation', org::text, true);

    -- In one order everywhere, so that nobody waits for somebody who waits for them.
    for move in
        select * from json_to_recordset(moves) as m(contact uuid, seq int, state jsonb, session uuid,
               tags int, window_started_at timestamptz, window_replies int, at timestamptz,
               expires_at timestamptz, "case" uuid)
         order by m.contact
    loop
        if move.seq is null then
            fresh := true;
            continue;
        end if;
        update conversations v
           set seq = v.seq + 1, state = move.state, session_id = move.session, tags = move.tags,
               window_started_at = move.window_started_at, window_replies = move.window_replies,
               updated_at = move.at, expires_at = move.expires_at, case_id = move."case"
         where v.organisation_id = org and v.contact_id = move.contact and v.seq = move.seq;
        if not found then
            raise exception 'a conversation of this batch moved meanwhile' using errcode = 'HL001';
        end if;
    end loop;

    insert into receipts (organisation_id, channel_id, key, received_at, expires_at)
    select org, line, m.receipt, m.at, m.receipt_expires_at
      from json_to_recordset(moves) as m(receipt bytea, at timestamptz, receipt_expires_at timestamptz)
     order by m.receipt  -- two processes with the same deliveries wait for each other in one order
        on conflict do nothing;
    get diagnostics counted = row_count;
    if counted <> json_array_length(moves) then
        raise exception 'a delivery of this batch was taken in before' using errcode = 'HL002';
    end if;

    if newcomers is not null then
        insert into contacts (organisation_id, id, wrapped_key, language, office_id, status, origin,
                              created_at, last_seen_at, expires_at)
        select org, n.contact, n.wrapped_key, n.language, n.office, 'active', n.origin,
               n.at, n.at, n.expires_at
          from json_to_recordset(newcomers) as n(contact uuid, wrapped_key bytea, language text,
               office uuid, origin jsonb, at timestamptz, expires_at timestamptz);
        insert into addresses (organisation_id, id, contact_id, channel_id, scheme, address_hash,
                               number_hash, sealed, status, last_in_at, created_at, expires_at)
        select org, n.address, n.contact, line, n.scheme, n.address_hash, n.number_hash,
               n.sealed_address, 'active', n.at, n.at, n.expires_at
          from json_to_recordset(newcomers) as n(contact uuid, address uuid, scheme text,
               address_hash bytea, number_hash bytea, sealed_address bytea, at timestamptz,
               expires_at timestamptz)
         order by n.address_hash;
        insert into profiles (organisation_id, contact_id, language, channel, office_id, consents,
                              joined_at, last_seen_at, rest, expires_at)
        select org, n.contact, n.language, n.scheme, n.office, '{}', n.at, n.at, '{}', n.expires_at
          from json_to_recordset(newcomers) as n(contact uuid, language text, scheme text,
               office uuid, at timestamptz, expires_at timestamptz);
    end if;

    -- Newcomers, and people who were known before they ever wrote.
    if fresh then
        insert into conversations (organisation_id, contact_id, seq, state, session_id, tags,
                                   window_started_at, window_replies, updated_at, expires_at, case_id)
        select org, m.contact, 1, m.state, m.session, m.tags, m.window_started_at,
               m.window_replies, m.at, m.expires_at, m."case"
          from json_to_recordset(moves) as m(contact uuid, seq int, state jsonb, session uuid,
               tags int, window_started_at timestamptz, window_replies int, at timestamptz,
               expires_at timestamptz, "case" uuid)
         where m.seq is null;
    end if;

    if sessions is not null then
        insert into flow_sessions (organisation_id, id, contact_id, flow_version_id, flow, kind,
               status, language, channel_kind, origin, started_at, updated_at, completed_at, expires_at)
        select org, s.id, s.contact, s.flow_version, s.flow, s.kind, s.status, s.language,
               s.channel_kind, s.origin, s.at, s.at, s.completed_at, s.expires_at
          from json_to_recordset(sessions) as s(id uuid, contact uuid, flow_version uuid, flow text,
               kind text, status text, language text, channel_kind text, origin jsonb,
               at timestamptz, completed_at timestamptz, expires_at timestamptz)
            on conflict (organisation_id, id) do update
               set status = excluded.status, language = excluded.language,
                   updated_at = excluded.updated_at, completed_at = excluded.completed_at,
                   expires_at = excluded.expires_at;
    end if;

    -- What no earlier message to the same address holds back (by the rule of claims) may leave ahead
    -- of the queue, if the channel's budget has room for all of it.
    if courier is not null then
        select array_agg(s.id) into ahead
          from json_to_recordset(said) as s(id uuid, contact uuid, address uuid, status text,
               lane smallint, due_at timestamptz, at timestamptz)
         where s.status = 'queued' and s.due_at <= s.at
           and (select true from messages e
                 where e.organisation_id = org and e.contact_id = s.contact
                   and e.address_id = s.address and e.status in ('queued', 'sending')
                   and (e.status = 'sending' or e.lane <= s.lane
                        and e.due_at <= s.at + interval '20 seconds') limit 1) is null;
        if ahead is not null and not spend_budget(org, line, cardinality(ahead)) then
            ahead := null;
        end if;
    end if;

    insert into messages (organisation_id, id, contact_id, address_id, channel_id, direction, status,
           lane, kind, content, flow_version_id, question, language, sealed, seq, session_id, edits,
           provider_id, due_at, attempts, leased_by, leased_until, created_at, expires_at)
    select org, s.id, s.contact, s.address, line, s.direction,
           case when s.id = any (ahead) then 'sending' else s.status end, s.lane, s.kind, s.content,
           s.flow_version, s.question, s.language, s.sealed, s.seq, s.session, s.edits,
           s.provider_id, s.due_at, case when s.id = any (ahead) then 1 else 0 end,
           case when s.id = any (ahead) then courier end,
           case when s.id = any (ahead) then clock_timestamp() + lease end, s.at, s.expires_at
      from json_to_recordset(said) as s(id uuid, contact uuid, address uuid, direction text,
           status text, lane smallint, kind text, content jsonb, flow_version uuid, question text,
           language text, sealed bytea, seq int, session uuid, edits text, provider_id text,
           due_at timestamptz, at timestamptz, expires_at timestamptz);

    if answered is not null then
        insert into answers (organisation_id, session_id, question, contact_id, flow_version_id,
               flow, value, sealed, skipped, language, channel_kind, answered_at, expires_at)
        select org, w.session, w.question, w.contact, w.flow_version, w.flow, w.value, w.sealed,
               w.skipped, w.language, w.channel_kind, w.at, w.expires_at
          from json_to_recordset(answered) as w(session uuid, question text, contact uuid,
               flow_version uuid, flow text, value jsonb, sealed bytea, skipped boolean,
               language text, channel_kind text, at timestamptz, expires_at timestamptz)
            on conflict (organisation_id, session_id, question) do update
               set flow_version_id = excluded.flow_version_id, value = excluded.value,
                   sealed = excluded.sealed, skipped = excluded.skipped,
                   language = excluded.language, channel_kind = excluded.channel_kind,
                   answered_at = excluded.answered_at, expires_at = excluded.expires_at;
    end if;

    if consented is not null then
        insert into consent_events (organisation_id, id, contact_id, purpose, action, flow, version,
               question, text_hash, language, channel_kind, provider_message, at, expires_at)
        select org, e.id, e.contact, e.purpose, e.action, e.flow, e.version, e.question,
               e.text_hash, e.language, e.channel_kind, e.provider_message, e.at, e.expires_at
          from json_to_recordset(consented) as e(id uuid, contact uuid, purpose text, action text,
               flow text, version int, question text, text_hash bytea, language text,
               channel_kind text, provider_message text, at timestamptz, expires_at timestamptz);
    end if;

    if profiled is not null then
        for person in
            select * from json_to_recordset(profiled) as f(contact uuid, patch jsonb, rest jsonb,
                   language text, office uuid, contact_expires_at timestamptz, at timestamptz,
                   touched boolean)
        loop
            update profiles p
               set country = case when person.patch ? 'country' then person.patch->>'country' else p.country end,
                   place = case when person.patch ? 'place' then person.patch->>'place' else p.place end,
                   region = case when person.patch ? 'region' then person.patch->>'region' else p.region end,
                   time_zone = case when person.patch ? 'time_zone' then person.patch->>'time_zone' else p.time_zone end,
                   link = case when person.patch ? 'link' then person.patch->>'link' else p.link end,
                   age_band = case when person.patch ? 'age_band' then person.patch->>'age_band' else p.age_band end,
                   gender = case when person.patch ? 'gender' then person.patch->>'gender' else p.gender end,
                   activity = case when person.patch ? 'activity' then person.patch->>'activity' else p.activity end,
                   language = case when person.patch ? 'language' then person.patch->>'language' else p.language end,
                   channel = case when person.patch ? 'channel' then person.patch->>'channel' else p.channel end,
                   office_id = coalesce((person.patch->>'office_id')::uuid, p.office_id),
                   consents = case when person.patch ? 'consents'
                       then array(select jsonb_array_elements_text(person.patch->'consents')) else p.consents end,
                   monthly_cap = coalesce((person.patch->>'monthly_cap')::smallint, p.monthly_cap),
                   registered_at = coalesce((person.patch->>'registered_at')::timestamptz, p.registered_at),
                   expires_at = coalesce((person.patch->>'expires_at')::timestamptz, p.expires_at),
                   rest = case when person.rest is null then p.rest
                       else jsonb_strip_nulls(p.rest || person.rest) end,
                   last_seen_at = person.at
             where p.organisation_id = org and p.contact_id = person.contact;
            if person.touched then
                update contacts c
                   set language = coalesce(person.language, c.language),
                       office_id = coalesce(person.office, c.office_id),
                       last_seen_at = person.at,
                       expires_at = coalesce(person.contact_expires_at, c.expires_at)
                 where c.organisation_id = org and c.id = person.contact;
            end if;
            if person.contact_expires_at is not null then
                update addresses a set expires_at = person.contact_expires_at
                 where a.organisation_id = org and a.contact_id = person.contact;
            end if;
        end loop;
    end if;

    if rare is not null then
        perform apply_rare(org, line, rare);
    end if;

    if ahead is not null then
        return query select * from letters_of(org, ahead);
    end if;
end $$;
