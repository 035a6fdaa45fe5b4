/** Made-up answers for the mock server; shapes as the api documents them. */
const money = (minor_units) => ({ minor_units, currency: "USD", text: `$${(minor_units / 100).toFixed(2)}` });

const GOODS = [
  [
    "Tortilla chips, 11.5 oz",
    329,
    399,
    "Snacks",
    "taco",
    "You buy this about every 12 days, last 3 weeks ago.",
    "repeat_purchase",
  ],
  [
    "Plain yogurt, 32 oz",
    449,
    0,
    "Dairy",
    "glass-of-milk",
    "Bought by shoppers who, like you, often buy granola and berries.",
    "similar_taste",
  ],
  ["Bananas", 59, 0, "Fruit", "banana", "Popular in this store this week.", "popular"],
  ["Whole grain bread, 24 oz", 389, 459, "Bakery", "bread", "You buy this about every 7 days.", "repeat_purchase"],
  [
    "Ground coffee, dark roast, 12 oz",
    899,
    0,
    "Coffee",
    "hot-beverage",
    "Often in your basket with milk.",
    "repeat_purchase",
  ],
  ["Frozen cheese pizza, 20 oz", 649, 0, "Frozen", "pizza", "Popular in this store this week.", "popular"],
  ["Large eggs, 12 count", 379, 0, "Eggs", "egg", "You usually buy this on Fridays.", "repeat_purchase"],
  ["Cheddar cheese, 8 oz", 419, 499, "Dairy", "cheese-wedge", "Popular in this store this week.", "popular"],
  [
    "Baby carrots, 16 oz",
    189,
    0,
    "Vegetables",
    "carrot",
    "Bought by shoppers who, like you, cook fresh.",
    "similar_taste",
  ],
  ["Strawberries, 1 lb", 399, 0, "Fruit", "strawberry", "In season, and popular this week.", "popular"],
  ["Spaghetti, 16 oz", 149, 0, "Pasta", "spaghetti", "You buy this about every 20 days.", "repeat_purchase"],
  ["Dark chocolate bar, 3.5 oz", 279, 0, "Sweets", "chocolate-bar", "Popular in this store this week.", "popular"],
];

export const ITEMS = GOODS.map(([name, now, regular, category, picture, reason, reason_code], index) => ({
  product_id: `p${index + 1}`,
  name,
  price: money(now),
  regular_price: regular ? money(regular) : null,
  picture_url: `/v1/products/${picture}/picture.svg`,
  reason,
  reason_code,
  category,
  rank: index + 1,
}));

export const LONG_ITEM = {
  ...ITEMS[0],
  product_id: "p-long",
  name: "Donaudampfschifffahrtsgesellschaftskapitänsmützenförmige Vollkornknäckebrotscheiben mit Sonnenblumenkernen, extra large family package, 48.5 oz",
  price: money(123456),
  regular_price: money(199999),
  reason:
    "Bought by shoppers who, like you, often buy wholegrain crispbread, sunflower seed spreads and unusually long product names.",
};

export const COUPON = {
  product_name: "Tortilla chips",
  reason: "You buy this about every 12 days.",
  code: "7KQM2XPA",
  discount: money(100),
  text: "$1.00 off Tortilla chips",
  product_ids: ["p1"],
  expires_at: "2026-12-07T22:00:00Z",
  qr_url: "/v1/coupons/7KQM2XPA/qr.svg",
};

let serial = 0;
const id = () => `m${++serial}`;
export const bot = (text, more = {}) => ({
  message_id: id(),
  role: "bot",
  text,
  items: [],
  coupon: null,
  quick_replies: [],
  ...more,
});
export const shopper = (text) => ({ message_id: id(), role: "user", text });
const chips = (...titles) => titles.map((title) => ({ title, text: title }));

export const GREETING = () =>
  bot(
    "Hello, I am the shop's AI assistant. I can suggest products, find offers and answer questions. What can I do for you?",
    {
      quick_replies: chips("Recommend something", "Any coupons?", "When are you open?", "Talk to a person"),
    },
  );

/** An answer for a text; the words choose the scenario. */
export function answer(text) {
  const slate = (items, words) =>
    bot(words, {
      items,
      decision_id: `d${++serial}`,
      quick_replies: chips("Why these?", "Any coupons?", "Something else"),
    });
  if (text.startsWith("/leave_message "))
    return {
      messages: [bot("Thank you. Your message is with our staff.", { act: "handoff.message.taken" })],
      handoff: true,
      engine: "rasa",
    };
  if (/coupon/i.test(text))
    return {
      messages: [bot("Here is one for something you often buy.", { coupon: COUPON })],
      handoff: false,
      engine: "rasa",
    };
  if (/person|human/i.test(text))
    return {
      messages: [bot("I have asked a colleague to join. You can keep writing; they will read it all.")],
      handoff: true,
      engine: "rasa",
    };
  if (/compare/i.test(text))
    return {
      messages: [
        bot("Side by side:", {
          table: {
            caption: "Bread and chips",
            columns: ["", "Whole grain bread", "Tortilla chips"],
            rows: [
              ["Price", "$3.89", "$3.29"],
              ["Size", "24 oz", "11.5 oz"],
              ["Contains nuts", "No", null],
            ],
          },
          something_new: { unknown: true },
        }),
      ],
      handoff: false,
      engine: "rasa",
    };
  if (/basket|order/i.test(text)) {
    const lines = ITEMS.slice(0, 2).map((item) => ({ ...item, quantity: 2 }));
    const whole = { lines, pieces: 4, total: money(1556) };
    const order = /order/i.test(text);
    return {
      messages: [
        bot(order ? "Your order is on its way." : "This is in your basket.", {
          ...(order ? { order: { order_id: "#W2378156", status: "Arrives tomorrow", ...whole } } : { basket: whole }),
        }),
      ],
      handoff: false,
      engine: "rasa",
    };
  }
  if (/long/i.test(text))
    return {
      messages: [
        slate([LONG_ITEM, ITEMS[1]], "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz is a long word."),
      ],
      handoff: false,
      engine: "rasa",
    };
  if (/fallback/i.test(text))
    return {
      messages: [slate(ITEMS.slice(2, 5), "The full assistant is coming back. Until then, these are popular today.")],
      handoff: false,
      engine: "fallback",
    };
  if (/why/i.test(text))
    return {
      messages: [
        bot(
          "You buy tortilla chips about every 12 days, and the last time was 3 weeks ago.\n\nThe rest is popular with shoppers whose baskets look like yours.",
        ),
      ],
      handoff: false,
      engine: "rasa",
    };
  if (/recommend|search|else/i.test(text))
    return { messages: [slate(ITEMS.slice(0, 5), "These fit what you usually buy.")], handoff: false, engine: "rasa" };
  return {
    messages: [
      bot("We are open Monday to Saturday 7:00 to 22:00, Sunday 8:00 to 20:00.", {
        quick_replies: chips("Recommend something"),
      }),
    ],
    handoff: false,
    engine: "rasa",
  };
}

const privacy = (_camera, recognised) => ({
  recognised,
  expression: true,
  text: recognised
    ? "You agreed to be recognised here. Say “forget me” in the chat to end it."
    : "Nobody is recognised. No picture is stored.",
});
const poster = (index, tall = true) => ({
  url: `/v1/creatives/${index}${tall ? "" : "-square"}`,
  alt: `Poster: ${ITEMS[index].name}, ${ITEMS[index].price.text}`,
  width: 1080,
  height: tall ? 1920 : 1080,
});

/** Display states by name. */
const words = (name = null) => ({ name, contact: "the service desk at the entrance", shared: false });
const NOTICE = {
  text: "Cameras at the displays recognise only people who said yes.\nPurpose: greeting and offers. Templates are deleted 180 days after the last visit.",
};

export const DISPLAYS = {
  attract: {
    mode: "attract",
    words: words(),
    notice: NOTICE,
    privacy: privacy(false, false, "Camera off"),
    headline: "Good things today",
    subline: "",
    items: ITEMS.slice(0, 3),
    slides: [3, 9, 5].map((index) => ({
      headline: ["Fresh from the oven", "In season now", "Easy tonight"][[3, 9, 5].indexOf(index)],
      poster: poster(index),
      item: ITEMS[index],
    })),
  },
  bare: {
    mode: "attract",
    privacy: privacy(false, false, "Camera off"),
    headline: "Welcome",
    subline: "",
    items: [],
    slides: [],
  },
  placard: {
    mode: "attract",
    privacy: privacy(true, false, "Camera on. Nobody is recognised."),
    headline: "Popular this week",
    items: ITEMS.slice(2, 3),
    slides: [],
  },
  welcome: {
    mode: "welcome",
    words: words("Maya"),
    notice: NOTICE,
    privacy: privacy(true, true, "Camera on. You are recognised."),
    headline: "Welcome back, Maya",
    subline: "Picked for you, from what you buy",
    items: ITEMS.slice(0, 3),
    coupon: COUPON,
    poster: poster(0),
    decision_id: "d-welcome",
  },
  inspire: {
    mode: "inspire",
    words: words(),
    privacy: privacy(true, true, "Camera on. You are recognised."),
    headline: "Something new for you?",
    subline: "You may like to try",
    items: ITEMS.slice(5, 11),
    poster: poster(5),
    decision_id: "d-inspire",
  },
  help: {
    mode: "help",
    words: words(),
    privacy: privacy(true, true, "Camera on. You are recognised."),
    headline: "Shall we help?",
    subline: "Somebody from our team is glad to help at the service desk at the entrance.",
    items: ITEMS.slice(2, 4),
    decision_id: "d-help",
  },
  items: {
    mode: "welcome",
    words: words("Maya"),
    privacy: privacy(true, true, "Camera on. You are recognised."),
    headline: "Welcome back, Maya",
    subline: "Picked for you, from what you buy",
    items: ITEMS.slice(3, 6),
    decision_id: "d-items",
  },
  long: {
    mode: "welcome",
    words: words("Wolfeschlegelsteinhausenbergerdorff"),
    privacy: privacy(true, true, "Camera on. You are recognised. Touch here to learn what that means."),
    headline: "Welcome back, Wolfeschlegelsteinhausenbergerdorff",
    subline: "Picked for you, from what you buy",
    items: [LONG_ITEM, ITEMS[1], ITEMS[2]],
    coupon: { ...COUPON, product_name: "Donaudampfschifffahrtsgesellschaftskapitänsmützen" },
    poster: poster(0),
    decision_id: "d-long",
  },
  calm: {
    mode: "calm",
    words: words(),
    privacy: privacy(true, false, "Camera on. Nobody is recognised."),
    headline: "Can we help?",
    subline: "Ask at the service desk at the entrance.",
    items: ITEMS.slice(2, 4),
  },
};
