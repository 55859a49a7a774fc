create function take_many(
    org uuid, hashes bytea[], line uuid, receipt_keys bytea[], today date,
    numbers bytea[], aliases bytea[], marks text[])
returns table (
    place bigint, repeated boolean, contact_id uuid, address_id uuid, address_status text,
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
           -- Looked for on behalf of strangers only: is their number one of somebody's, not long
           -- silent, who wants to hear from us and has told us something worth not asking twice?
           -- (Each LIMIT keeps the planner from joining everybody's rows before the number counts.)
           case when a.id is null and asked.number is not null then exists (
               select 1 from (
                   select n.contact_id from addresses n
                    where n.organisation_id = org and n.number_hash = asked.number
                      and n.status = 'active'
                      and coalesce(n.last_in_at, n.created_at) > today - interval '90 days'
                    limit 100) n
                 cross join lateral (
                   select t.status from contacts t
                    where t.organisation_id = org and t.id = n.contact_id limit 1) t
                 cross join lateral (
                   select q.consents from profiles q
                    where q.organisation_id = org and q.contact_id = n.contact_id limit 1) q
                where t.status = 'active' and cardinality(q.consents) > 0)
           else false end,
           i.contact_id,
           case when asked.alias is not null and i.contact_id is null and a.id is not null then exists (
               select 1 from addresses w
                where w.organisation_id = org and w.contact_id = a.contact_id
                  and w.scheme = 'whatsapp-id')
           else false end,
           p.registered_at,
           -- Of words said lately: how far our latest message to their sender has come.
           case when v.state->'said' ? asked.mark then (
               select m.status from messages m
                where m.organisation_id = org and m.contact_id = v.contact_id
                  and m.direction = 'out'
                order by m.id desc limit 1) end
      from unnest(hashes, receipt_keys, numbers, aliases, marks)
               with ordinality as asked(hash, receipt, number, alias, mark, place)
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
      left join lateral (
          select contact_id from addresses
           where organisation_id = org and address_hash = asked.alias limit 1) i on true;
end $$;

create function apply_rare(org uuid, line uuid, rare json)
returns void language plpgsql as $$
declare
    silenced uuid[];
begin
    -- STOP reaches every contact behind the same number, and everything still queued for them.
    select array_agg(distinct k.contact) into silenced
      from json_to_recordset(rare->'stops') as s(contact uuid, number_hash bytea)
      cross join lateral (
          select s.contact
          union all
          (select a.contact_id from addresses a
            where a.organisation_id = org and a.number_hash = s.number_hash offset 0)) k(contact);
    if silenced is not null then
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

    update contacts c set status = 'active', stopped_at = null
      from json_to_recordset(rare->'returns') as s(contact uuid)
     where c.organisation_id = org and c.id = s.contact and c.status = 'stopped';

    update addresses a set status = s.status
      from json_to_recordset(rare->'addresses') as s(address uuid, status text)
     where a.organisation_id = org and a.id = s.address;

    -- The id under which WhatsApp knows somebody, beside their number. It may be there already.
    insert into addresses (organisation_id, id, contact_id, channel_id, scheme, address_hash, sealed,
                           status, last_in_at, created_at, expires_at)
    select org, i.address, i.contact, line, 'whatsapp-id', i.address_hash, i.sealed, 'active', i.at,
           i.at, i.expires_at
      from json_to_recordset(rare->'aliases') as i(address uuid, contact uuid, address_hash bytea,
           sealed bytea, at timestamptz, expires_at timestamptz)
        on conflict (address_hash, organisation_id) do nothing;

    -- WhatsApp's service window and the latest channel follow what the person last used.
    update addresses a set window_until = s.window_until, last_in_at = s.at
      from json_to_recordset(rare->'windows') as s(address uuid, window_until timestamptz, at timestamptz)
     where a.organisation_id = org and a.id = s.address;

    insert into due (organisation_id, id, contact_id, kind, session_id, payload, due_at, attempts,
                     expires_at)
    select org, d.id, d.contact, d.kind, d.session, d.payload, d.due_at, 0, d.expires_at
      from json_to_recordset(rare->'dues') as d(id uuid, contact uuid, kind text, session uuid,
           payload jsonb, due_at timestamptz, expires_at timestamptz);

    -- One case a person: what they write while it is not closed joins it.
    insert into cases (organisation_id, id, contact_id, session_id, question, reason, status, unread,
                       opened_at, last_message_at, expires_at)
    select org, k.id, k.contact, k.session, k.question, k.reason, 'open', 1, k.at, k.at, k.expires_at
      from json_to_recordset(rare->'cases') as k(id uuid, contact uuid, session uuid, question text,
           reason text, at timestamptz, expires_at timestamptz)
        on conflict (contact_id, organisation_id) where status <> 'closed' do update
           set status = 'open', unread = cases.unread + 1,
               last_message_at = excluded.last_message_at,
               reason = case when excluded.reason = 'danger' then 'danger' else cases.reason end;

    -- Words said again moved the conversation and nothing in it: what is on its way to the person is
    -- still the answer to the latest they wrote, and is sent again by the same rules.
    update messages m set seq = e.seq
      from json_to_recordset(rare->'echoes') as e(contact uuid, seq int)
     where m.organisation_id = org and m.contact_id = e.contact and m.direction = 'out'
       and m.status in ('queued', 'sending', 'unknown') and m.seq = e.seq - 1;

    -- A new link to a person's own data takes the place of those not used.
    delete from member_links m using json_to_recordset(rare->'links') as l(contact uuid)
     where m.organisation_id = org and m.contact_id = l.contact and m.opened_at is null;
    insert into member_links (organisation_id, id, contact_id, token_hash, code_hash, language,
                              created_at, expires_at)
    select org, l.id, l.contact, l.token_hash, l.code_hash, l.language, l.at, l.expires_at
      from json_to_recordset(rare->'links') as l(id uuid, contact uuid, token_hash bytea,
           code_hash bytea, language text, at timestamptz, expires_at timestamptz);
    insert into door (kind, key_hash, organisation_id, target_id)
    select 'member_link', l.token_hash, org, l.id
      from json_to_recordset(rare->'links') as l(id uuid, token_hash bytea);

    if (rare->>'unconsented')::int > 0 then
        update channel_budgets b
           set unconsented_used = (rare->>'unconsented')::int
               + case when b.unconsented_day = (rare->>'today')::date then b.unconsented_used else 0 end,
               unconsented_day = (rare->>'today')::date
         where b.organisation_id = org and b.channel_id = line;
    end if;
end $$;

create function apply_many(
    org uuid, line uuid, moves json, newcomers json, outgoing json, answered json,
    sessions json, consented json, profiled json, rare json)
returns void language plpgsql as $$
declare
    expected int := json_array_length(moves);
    counted int;
    -- "= any (known)" beside each join: the index is searched by its whole key, whatever the
    -- statistics of a young table make of the join.
    known uuid[];
begin
    perform set_config('app.organisation', org::text, true);
    select array_agg(m.contact) into known from json_to_recordset(moves) as m(contact uuid, seq int)
     where m.seq is not null;

    perform 1 from conversations v
      where v.organisation_id = org and v.contact_id = any (known)
      order by v.contact_id for no key update of v;

    insert into receipts (organisation_id, channel_id, key, received_at, expires_at)
    select org, line, m.receipt, m.at, m.receipt_expires_at
      from json_to_recordset(moves) as m(receipt bytea, at timestamptz, receipt_expires_at timestamptz)
     order by m.receipt  -- two processes with the same deliveries wait for each other in one order
        on conflict do nothing;
    get diagnostics counted = row_count;
    if counted <> expected then
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
    if coalesce(cardinality(known), 0) < expected then
        insert into conversations (organisation_id, contact_id, seq, state, session_id, tags,
                                   window_started_at, window_replies, updated_at, expires_at, case_id)
        select org, m.contact, 1, m.state, m.session, m.tags, m.window_started_at,
               m.window_replies, m.at, m.expires_at, m."case"
          from json_to_recordset(moves) as m(contact uuid, seq int, state jsonb, session uuid,
               tags int, window_started_at timestamptz, window_replies int, at timestamptz,
               expires_at timestamptz, "case" uuid)
         where m.seq is null;
    end if;

    update conversations v
       set seq = v.seq + 1, state = m.state, session_id = m.session, tags = m.tags,
           window_started_at = m.window_started_at, window_replies = m.window_replies,
           updated_at = m.at, expires_at = m.expires_at, case_id = m."case"
      from json_to_recordset(moves) as m(contact uuid, seq int, state jsonb, session uuid, tags int,
           window_started_at timestamptz, window_replies int, at timestamptz,
           expires_at timestamptz, "case" uuid)
     where v.organisation_id = org and v.contact_id = any (known)
       and v.contact_id = m.contact and v.seq = m.seq;
    get diagnostics counted = row_count;
    if counted <> coalesce(cardinality(known), 0) then
        raise exception 'a conversation of this batch moved meanwhile' using errcode = 'HL001';
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

    insert into messages (organisation_id, id, contact_id, address_id, channel_id, direction, status,
           lane, kind, content, language, sealed, seq, session_id, provider_id, due_at, attempts,
           created_at, expires_at)
    select org, m.message, m.contact, m.address, line, 'in', 'received', 1, m.kind, m.content,
           m.language, m.sealed, coalesce(m.seq, 0), m.session, m.provider_id, m.at, 0, m.at,
           m.message_expires_at
      from json_to_recordset(moves) as m(message uuid, contact uuid, address uuid, kind text,
           content jsonb, language text, sealed bytea, seq int, session uuid, provider_id text, at timestamptz,
           message_expires_at timestamptz)
     where m.message is not null;

    if outgoing is not null then
        insert into messages (organisation_id, id, contact_id, address_id, channel_id, direction,
               status, lane, kind, content, flow_version_id, question, language, sealed, seq,
               session_id, edits, due_at, attempts, created_at, expires_at)
        select org, g.id, g.contact, g.address, line, 'out', 'queued', g.lane, g.kind, g.content,
               g.flow_version, g.question, g.language, g.sealed, g.seq, g.session, g.edits, g.due_at,
               0, g.at, g.expires_at
          from json_to_recordset(outgoing) as g(id uuid, contact uuid, address uuid, lane smallint,
               kind text, content jsonb, flow_version uuid, question text, language text,
               sealed bytea, seq int, session uuid, edits text, due_at timestamptz, at timestamptz,
               expires_at timestamptz);
    end if;

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
        select array_agg(f.contact) into known from json_to_recordset(profiled) as f(contact uuid);
        update profiles p
           set country = case when f.patch ? 'country' then f.patch->>'country' else p.country end,
               place = case when f.patch ? 'place' then f.patch->>'place' else p.place end,
               region = case when f.patch ? 'region' then f.patch->>'region' else p.region end,
               time_zone = case when f.patch ? 'time_zone' then f.patch->>'time_zone' else p.time_zone end,
               link = case when f.patch ? 'link' then f.patch->>'link' else p.link end,
               age_band = case when f.patch ? 'age_band' then f.patch->>'age_band' else p.age_band end,
               gender = case when f.patch ? 'gender' then f.patch->>'gender' else p.gender end,
               activity = case when f.patch ? 'activity' then f.patch->>'activity' else p.activity end,
               language = case when f.patch ? 'language' then f.patch->>'language' else p.language end,
               channel = case when f.patch ? 'channel' then f.patch->>'channel' else p.channel end,
               office_id = coalesce((f.patch->>'office_id')::uuid, p.office_id),
               consents = case when f.patch ? 'consents'
                   then array(select jsonb_array_elements_text(f.patch->'consents')) else p.consents end,
               monthly_cap = coalesce((f.patch->>'monthly_cap')::smallint, p.monthly_cap),
               registered_at = coalesce((f.patch->>'registered_at')::timestamptz, p.registered_at),
               expires_at = coalesce((f.patch->>'expires_at')::timestamptz, p.expires_at),
               rest = case when f.rest is null then p.rest
                   else jsonb_strip_nulls(p.rest || f.rest) end,
               last_seen_at = f.at
          from json_to_recordset(profiled)
               as f(contact uuid, patch jsonb, rest jsonb, at timestamptz)
         where p.organisation_id = org and p.contact_id = any (known)
           and p.contact_id = f.contact;
        update contacts c
           set language = coalesce(f.language, c.language),
               office_id = coalesce(f.office, c.office_id),
               last_seen_at = f.at, expires_at = coalesce(f.contact_expires_at, c.expires_at)
          from json_to_recordset(profiled) as f(contact uuid, language text, office uuid,
               contact_expires_at timestamptz, at timestamptz, touched boolean)
         where c.organisation_id = org and c.id = any (known) and c.id = f.contact
           and f.touched;
        update addresses a
           set expires_at = f.contact_expires_at
          from json_to_recordset(profiled) as f(contact uuid, contact_expires_at timestamptz)
         where a.organisation_id = org and a.contact_id = any (known) and a.contact_id = f.contact
           and f.contact_expires_at is not null;
    end if;

    if rare is not null then
        perform apply_rare(org, line, rare);
    end if;
end $$;
