/** Numbers of tokens, a row a token: gradients by them, or the rows of an embedding table. */
export interface TokenRows {
  readonly rows: number;
  readonly width: number;
  /** [row, width] */
  readonly data: ArrayLike<number>;
}

/** What a model says of a text, and how the loss of a label changes with the embeddings of its tokens. */
export interface Judged {
  /** What it predicts. */
  readonly label: number;
  /** Its scores of the labels, as the model has them. */
  readonly scores: readonly number[];
  /** −log of the probability of the label that is defended. */
  readonly loss: number;
  /** Of that loss. [token, dim] */
  readonly gradient: TokenRows;
}

/** A model that can be attacked: texts are lists of ids. */
export interface Victim {
  /**
   * @param label whose loss is told; where left out, of what is predicted
   * @param texts of any lengths
   */
  judge(texts: readonly (readonly number[])[], label?: number): Promise<readonly Judged[]>;
}
