/** Made by `doveadm pw` of Dovecot 2.3.19.1: the password, and what it stores. */
export const doveadmVectors: readonly (readonly [password: string, stored: string])[] = [
  ['secret', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='],
  ['secret', '{SHA1}5en6G6MezRroT3XKqkdPOmY/BfQ='],
  ['secret', '{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols='],
  [
    'secret',
    '{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==',
  ],
  ['secret', '{SSHA}F687THNoeL4cBxNvAL+KFSRejjXUSQKG'],
  ['secret', '{SSHA256}IhsBeW9+cEsDzsdBnOlZO7M5N0MSG7LI0osue4YizScGzjeW'],
  [
    'secret',
    '{SSHA512}bPlj0urExpLIQl4M8cwdaRWl5m5TtinHhgwdSEgjPhQ12YZakNQ4IBgym3UttqHg9QsNmj6YoqCRDkHvYe+UPorWewQ=',
  ],
  ['secret', '{SHA.HEX}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4'],
  ['secret', '{SHA256.B64}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols='],
  ['secret', '{SSHA256.HEX}4f5dd0f4d3291841039c2b77de13082302d9acb18ac39368e073de6f55d6d99cd3ced224'],
  [
    'secret',
    '{SSHA512.B64}mciNuxFgEkmGfNlqkT2taeJlyyOBPo0MatGZ8GTYXq3yQuaVWOlKXvIpOIdYVWy4VSfCxnJyTOEfNkYWErVXxRoEOLM=',
  ],
  ['secret', '{SHA256-CRYPT}$5$rounds=1500$op5BfUBxgMqRIzoe$zEWGOR5JXP1/PMvRT.cdaF3yhef6bSUINTENsU8cK/D'],
  [
    'secret',
    '{SHA512-CRYPT}$6$rounds=1500$oq5V2R73EnwWJqlw$D4JMlhywinnzATpUJHdVJvepG5IiIYVkyyOvYYYdmzvjNFyUfsLQpg4dyq/H/K7LZLqLATUzb3n4v3q5hf3LC1',
  ],
  ['secret', '{CRYPT}$2y$05$TsKLk9upXP6nMWDNU6ggounTUm95IlYVCgr5QGKzBGe/dhjS9vZCC'],
  ['secret', '{BLF-CRYPT}$2y$05$Ow0DWAeOC.upiWthDvQs/e25KW7EwNPfkssQudgj4xx5xBGDpQQW2'],
  [
    'secret',
    '{ARGON2ID}$argon2id$v=19$m=262144,t=3,p=1$qIYXUpFQV5AWRGGam+xnLA$z8tD5iq0DoVviTKC0/nxIW62EclihqX78hi1JjP4ZiU',
  ],
  [
    'secret',
    '{ARGON2I}$argon2i$v=19$m=32768,t=3,p=1$+44WY/kZIeSOYAbUe5oX7Q$Rr9IGgUuU51muMWzb055I/6I4MZIwjSz0IUjtR/j3hI',
  ],
  ['secret', '{PBKDF2}$1$8./l3JvssPYxUa8Z$1000$a3c0c11f4efebfd840a4ae7ff72df500a48b9ac0'],
  [
    'secret',
    '{SCRAM-SHA-1}4096,pGKC6Sv4Af+lOKhzm8DsfQ==,ozIjQflpQm9tlCZwgCyZml6tbrY=,fJGPwP0Tki2GjC8rQPM8H0NwcsY=',
  ],
  [
    'secret',
    '{SCRAM-SHA-256}4096,Esj4JQxZjdAdNGeolAMziw==,aNdUe/pfbPZqHeQ7gt4+a2lWgVPODEk2WDoQIw4rQF8=,BVvuXBpapsljRs63QqjKvRj1+3i6Li1fDenNbVe02oM=',
  ],
  ['secret', '{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56'],
  ['secret', '{HMAC-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b56'],
  ['secret', '{PLAIN}secret'],
  ['secret', '{CLEARTEXT}secret'],
  ['secret', '{PLAIN.B64}c2VjcmV0'],
  ['secret', '{PLAIN.HEX}736563726574'],
  ['Grüße aus Köln', '{SHA}XKhaC1H69mTQwp6s/eoHZJgeeB8='],
  ['Grüße aus Köln', '{SHA1}XKhaC1H69mTQwp6s/eoHZJgeeB8='],
  ['Grüße aus Köln', '{SHA256}J3fXLLmV6lyQBKyrI+XQn/pMrScjSciRBj0qKaj/+GY='],
  [
    'Grüße aus Köln',
    '{SHA512}yhgT+M3vbPqmNBn5gaEWpBqTQQWrvOgBwzAYB+agqjXSYIR39Vm2NA5XHVLrJLOykQKHVVoC27N2fe1svlwg7g==',
  ],
  ['Grüße aus Köln', '{SSHA}LlhcM90QQEP3/qXxL/IvlhneIN1z2Ix2'],
  ['Grüße aus Köln', '{SSHA256}7bN0nIJhu0mmFfvfDBlJW4natYjV5aQ2noJvFrYemtI16rpA'],
  [
    'Grüße aus Köln',
    '{SSHA512}EDiZexQvKatAv+VZr1miUkWe2XlxbeEtNmL+2docmKEZ9R8CTh5s9C+TZ92uq4hoTksMO8mPSiwW7/8ojfdc1VWfinI=',
  ],
  ['Grüße aus Köln', '{SHA.HEX}5ca85a0b51faf664d0c29eacfdea0764981e781f'],
  ['Grüße aus Köln', '{SHA256.B64}J3fXLLmV6lyQBKyrI+XQn/pMrScjSciRBj0qKaj/+GY='],
  ['Grüße aus Köln', '{SSHA256.HEX}b6f106b27cab65b679d4925360d0cd0792b8a7645446edc9f8e594741e6683ad3ee6377a'],
  [
    'Grüße aus Köln',
    '{SSHA512.B64}yGHfXgNdHDr4RxaVR/fPw8g0g6J9/FLc2uTiEbykXBRM9/JFOyRPXLs5XPO5Kcvoiw7MS5BTFsMfNsuCA8R+lAe+eQI=',
  ],
  [
    'Grüße aus Köln',
    '{SHA256-CRYPT}$5$rounds=1500$KW7zd8tdfSHBZOkS$dLbyJkDJAVn4RUxqdiweo4dcIFJD/WoE5HGChFtW4vC',
  ],
  [
    'Grüße aus Köln',
    '{SHA512-CRYPT}$6$rounds=1500$2ZsVzitUuKU8T6Ym$wpbbLutaLFAlul/Q6h05GBhK3tSzaEdFfTqJHjFXVjfGnvJ0LZqV.ZqfU/dIf.Z.A/Cn77ioXDRNh8N2Z4ZBv1',
  ],
  ['Grüße aus Köln', '{CRYPT}$2y$05$TVVYVCbDaSdstWTsp.YDqO/LJGviAbP1PZD2gMA1ESX9qIoCNpKH2'],
  ['Grüße aus Köln', '{BLF-CRYPT}$2y$05$29bPhkfBPkUyI8dPLIEOBeBM7g8o2C9iB6taECunAaPaJ0WQ8b3ti'],
  [
    'Grüße aus Köln',
    '{ARGON2ID}$argon2id$v=19$m=262144,t=3,p=1$eNAemIYVX6ajYzWuA+BalA$z2rJRQYJxLQQCVHkvbY4kWAT6U5zGJ4AfOZ/4YJtLpI',
  ],
  [
    'Grüße aus Köln',
    '{ARGON2I}$argon2i$v=19$m=32768,t=3,p=1$MTVyNqdnnRdErbdebWtE+A$gKFzyMC/EmCSKbFM8CaGGnsY0iuMpA2Kcn5ifazU6s4',
  ],
  ['Grüße aus Köln', '{PBKDF2}$1$pi200xEFfEWRJ9G0$1000$bbc128fb72bc4a0ed49ac419b7d7384272744d35'],
  [
    'Grüße aus Köln',
    '{SCRAM-SHA-1}4096,MylaK5v9LW9HbSJvMlI4AQ==,mzN6ni5BzJagqAOzAcYwCqpm8EU=,5Mro47ill+FxlBOYTQIlVvw87sU=',
  ],
  [
    'Grüße aus Köln',
    '{SCRAM-SHA-256}4096,CfjjqoHKBdAx1KVXmSkoag==,SrsKCPjeTMMwIIjzkQNVZivMmGftmXrHgllBS5Hb04Q=,aFB0I8+MKB6HDHhtqq+XY1h/ta50d9v8f8drs+laigM=',
  ],
  ['Grüße aus Köln', '{CRAM-MD5}e7322ce4984d4aa8028aaa23263030b1a599e46513be94ba2011fdec893828cb'],
  ['Grüße aus Köln', '{HMAC-MD5}e7322ce4984d4aa8028aaa23263030b1a599e46513be94ba2011fdec893828cb'],
  ['Grüße aus Köln', '{PLAIN}Grüße aus Köln'],
  ['Grüße aus Köln', '{CLEARTEXT}Grüße aus Köln'],
  ['Grüße aus Köln', '{PLAIN.B64}R3LDvMOfZSBhdXMgS8O2bG4='],
  ['Grüße aus Köln', '{PLAIN.HEX}4772c3bcc39f6520617573204bc3b66c6e'],
  [
    'secret',
    '{CRYPT}$6$rounds=1000$g86ilnYvSUi5plIX$/9DDkXvQHcjEBNeyeiHDrXCPr0iGYHkNt9S8KGKnKurbwU40oIKatYp9oidID.Ro1RJ6P6JKym8HdHBbBTlVH.',
  ],
  ['secret', '{CRYPT}$5$LvWsvduiNGldPecZ$NmR6fN.snnRkQvAYyVKL7yrD.pW6.BskmFnSpq2K4O4'],
  [
    'secret',
    '{SHA512-CRYPT}$6$mVG8BkEQ9FvIu92y$BQ1qUCzp3exweOuwhxcy6QWnJ8S2Ok4eqq269d9TXyFtqNQESUd9xAuuS/L1zSsw3t2vJ9IHBbwbPh1Jkq5OY0',
  ],
  [
    'long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass ',
    '{SHA256-CRYPT}$5$rounds=1000$QIbOA6IMeOkwhCdB$tSslLFnQAH8cXwnzFp3SrxbGh1.ZrWOK3jOjiLfgV8A',
  ],
  [
    'long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass ',
    '{SHA512-CRYPT}$6$rounds=1000$6X79aerkrYjzoXnL$cbfsYS82EfVwp45Kx31MG945T0Ob7pqIDqt05o/t3jyigN.rJzUM8uq8/iMtLyFuaiDFJiAVTct8B0Qu2T74N1',
  ],
  [
    'long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass ',
    '{CRAM-MD5}d18266b1728209d711ec94d20dfb26d9f02dfc507da1308582ed7f7a5c50f686',
  ],
  [
    'long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass ',
    '{SSHA512}9QYUfB7mcjOf073aCmlMny0zNCXgvDnXGWSXZydUavmbt1HhD3UBI5NBe0hQPjzA17TIo/UARdKPfF6GTDoaOE+FAHo=',
  ],
  [
    'long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass long pass ',
    '{PBKDF2}$1$N.Hx.Q8R8FR/xTff$1000$2cf615f31abafffe01856087247e196ffac06479',
  ],
];
