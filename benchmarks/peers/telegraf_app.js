// Telegraf 4 WizardScene, session store on PostgreSQL, answers inserted with pg before the reply.
const { Telegraf, Scenes, session } = require('telegraf')
const http = require('http')
const Q = [['consent', 'Do you agree that we store your answers? (yes/no)', 'yesno'],
  ['name', 'What is your full name?', 'text'], ['birth_year', 'In which year were you born?', 'year'],
  ['country', 'Which country do you live in?', 'text'], ['city', 'Which city do you live in?', 'text'],
  ['postcode', 'What is your postal code?', 'text'], ['household', 'How many people live in your home?', 'count'],
  ['volunteer', 'Would you help as a volunteer? (yes/no)', 'yesno']]
const N = Q.length
const prompt = s => s < N ? `Q${s + 1}/${N} ${Q[s][1]}` : 'DONE Thank you, you are registered.'
function valid (s, t) {
  t = (t || '').trim()
  if (Q[s][2] === 'text') return t.length > 0 && t.length <= 200 ? t : null
  if (Q[s][2] === 'year') return /^\d+$/.test(t) && +t >= 1900 && +t <= 2026 ? t : null
  if (Q[s][2] === 'count') return /^\d+$/.test(t) && +t >= 1 && +t <= 30 ? t : null
  return ['yes', 'no'].includes(t.toLowerCase()) ? t.toLowerCase() : null
}
function build (opts, store, save) {
  const bot = new Telegraf('123:ABC', { telegram: opts, handlerTimeout: Infinity })
  bot.botInfo = { id: 123, is_bot: true, first_name: 'b', username: 'b_bot' }
  const steps = Q.map((q, i) => async ctx => {
    const v = valid(i, ctx.message && ctx.message.text)
    if (v === null) return ctx.reply(prompt(i))
    await save(ctx.chat.id, q[0], v)
    if (i + 1 < N) ctx.wizard.next(); else await ctx.scene.leave()
    return ctx.reply(prompt(i + 1))
  })
  const wizard = new Scenes.WizardScene('reg', ...steps)
  wizard.enterMiddleware = () => ctx => ctx.reply(prompt(0))
  const stage = new Scenes.Stage([wizard])
  stage.start(ctx => ctx.scene.enter('reg'))
  bot.use(session(store ? { store } : undefined))
  bot.use(stage.middleware())
  return bot
}
module.exports = { build, N, Q }
if (require.main === module) {
  const { Pool } = require('pg')
  const pool = new Pool({ connectionString: process.env.DB, max: 16 })
  // what @telegraf/session's SQL stores do: one JSON document per session key
  const store = {
    get: async k => { const r = await pool.query('select session from telegraf_sessions where key = $1', [k]); return r.rows[0] && r.rows[0].session },
    set: (k, v) => pool.query('insert into telegraf_sessions (key, session) values ($1,$2) on conflict (key) do update set session = excluded.session', [k, JSON.stringify(v)]),
    delete: k => pool.query('delete from telegraf_sessions where key = $1', [k])
  }
  pool.query(`create table if not exists answers (id bigserial primary key, member bigint not null,
    question text not null, value text not null, created_at timestamptz not null default now());
    create index if not exists answers_member on answers (member);
    create table if not exists telegraf_sessions (key text primary key, session jsonb)`).then(() => {
    const bot = build({ apiRoot: process.env.API, webhookReply: false }, store,
      (m, q, v) => pool.query('insert into answers (member, question, value) values ($1,$2,$3)', [m, q, v]))
    http.createServer(bot.webhookCallback('/tg', { secretToken: process.env.SECRET })).listen(+process.env.PORT, '127.0.0.1')
  })
}
