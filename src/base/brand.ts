declare const brand: unique symbol;

/** A type with a name: `Brand<number, 'layer'>` is a number that no other number can stand in for. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
