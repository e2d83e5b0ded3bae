(** * Samplers: what they are, and when two of them are the same

    A sampler calls a network N times. Call j asks, with the label l_j (everything the network is told), at

      q_j = c_j zeta + sum_{i<j} H_ji F(l_i, q_i) + w_j,          j = 0, ..., N-1,

    and the output is q_N, made in the same way. Here zeta is the start and w_0, ..., w_N is the noise. The
    weights are numbers; a state has any set of coordinates (one, or those of an image), on which the
    weights
    act alike, while the network may do anything with them. *)

From Coq Require Import Reals Lra Lia Arith FunctionalExtensionality.
Open Scope R_scope.

(** ** Definitions *)

Definition state (Coordinate : Type) := Coordinate -> R.
Definition network (Label Coordinate : Type) := Label -> state Coordinate -> state Coordinate.

(** The sum of f i over i < n. *)
Fixpoint sum (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S m => sum m f + f m end.

Record sampler (Label : Type) := Sampler {
  calls : nat;                        (* N *)
  label : nat -> Label;               (* l_j for j < N *)
  start : nat -> R;                   (* c_j for j <= N; row N is the output *)
  carried : nat -> nat -> R           (* H_ji for i < j <= N; other entries are never read *)
}.
Arguments calls {Label}.
Arguments label {Label}.
Arguments start {Label}.
Arguments carried {Label}.

(** H_ji as a whole matrix: strictly lower triangular. *)
Definition weight {Label} (A : sampler Label) (j i : nat) : R :=
  if (i <? j)%nat then carried A j i else 0.

Section Run.
Context {Label Coordinate : Type}.
Variables (A : sampler Label) (F : network Label Coordinate).
Variables (zeta : state Coordinate) (w : nat -> state Coordinate).

(** The queries before call n. *)
Fixpoint queries (n : nat) : nat -> state Coordinate :=
  match n with
  | O => fun _ _ => 0
  | S m => fun j => if (j =? m)%nat
      then fun k => start A m * zeta k + sum m (fun i => weight A m i * F (label A i) (queries m i) k) + w
      m k
      else queries m j
  end.

Definition query (j : nat) : state Coordinate := queries (S j) j.
Definition output : state Coordinate := query (calls A).
End Run.

(** A run without noise. *)
Definition silent {Coordinate} : nat -> state Coordinate := fun _ _ => 0.

(** The rows from which a path of nonzero weights leads to the output. *)
Inductive leads {Label} (A : sampler Label) : nat -> Prop :=
  | leads_output : leads A (calls A)
  | leads_back : forall j i, leads A j -> weight A j i <> 0 -> leads A i.

(** Two calls that, without noise, are always asked the same. *)
Definition twins {Label} (A : sampler Label) (i j : nat) : Prop :=
  label A i = label A j /\ start A i = start A j /\
  forall k, (k < calls A)%nat -> weight A i k = weight A j k.

(** Every call leads to the output, and no two ask the same. *)
Definition reduced {Label} (A : sampler Label) : Prop :=
  (forall i, (i < calls A)%nat -> leads A i) /\
  (forall i j, (i < calls A)%nat -> (j < calls A)%nat -> twins A i j -> i = j).

(** The calls of A, named as calls of B: p one way, p' the other; the output is named as the output. *)
Definition renaming {Label} (A B : sampler Label) (p p' : nat -> nat) : Prop :=
  (forall i, (i < calls A)%nat -> (p i < calls B)%nat /\ p' (p i) = i) /\
  (forall i, (i < calls B)%nat -> (p' i < calls A)%nat /\ p (p' i) = i) /\
  p (calls A) = calls B.

(** l, c and H agree after renaming. *)
Definition agree {Label} (A B : sampler Label) (p : nat -> nat) : Prop :=
  (forall i, (i < calls A)%nat -> label A i = label B (p i)) /\
  (forall j, (j <= calls A)%nat -> start A j = start B (p j)) /\
  (forall j i, (j <= calls A)%nat -> (i < calls A)%nat -> weight A j i = weight B (p j) (p i)).

Definition same {Label} (A B : sampler Label) : Prop :=
  exists p p', renaming A B p p' /\ agree A B p.

(** ** Sums *)

Lemma sum_ext : forall n f g, (forall i, (i < n)%nat -> f i = g i) -> sum n f = sum n g.
Proof.
  induction n as [|n IH]; intros f g same; simpl; [reflexivity|].
  rewrite (IH f g), (same n); [reflexivity|lia|]. intros i small. apply same. lia.
Qed.

Lemma sum_zero : forall n f, (forall i, (i < n)%nat -> f i = 0) -> sum n f = 0.
Proof.
  induction n as [|n IH]; intros f zero; simpl; [reflexivity|].
  rewrite IH, zero; [lra|lia|]. intros i small. apply zero. lia.
Qed.

Lemma sum_plus : forall n f g, sum n (fun i => f i + g i) = sum n f + sum n g.
Proof. induction n as [|n IH]; intros f g; simpl; [|rewrite IH]; lra. Qed.

Lemma sum_scal : forall n a f, sum n (fun i => a * f i) = a * sum n f.
Proof. induction n as [|n IH]; intros a f; simpl; [|rewrite IH]; lra. Qed.

Lemma sum_longer : forall m n f, (m <= n)%nat -> (forall i, (m <= i < n)%nat -> f i = 0) ->
  sum n f = sum m f.
Proof.
  intros m n f; induction n as [|n IH]; intros short zero.
  - replace m with O by lia. reflexivity.
  - destruct (Nat.eq_dec m (S n)) as [->|]; [reflexivity|].
    simpl. rewrite IH, (zero n); [lra|lia|lia|]. intros i small. apply zero. lia.
Qed.

Lemma sum_swap : forall m n f,
  sum m (fun i => sum n (fun j => f i j)) = sum n (fun j => sum m (fun i => f i j)).
Proof.
  induction m as [|m IH]; intros n f; simpl.
  - symmetry. apply sum_zero. reflexivity.
  - rewrite IH. symmetry. apply sum_plus.
Qed.

(** Of a sum, only the term at i. *)
Lemma sum_only : forall n f i, (i < n)%nat -> (forall k, (k < n)%nat -> k <> i -> f k = 0) -> sum n f = f i.
Proof.
  induction n as [|n IH]; intros f i small zero; [lia|]. simpl.
  destruct (Nat.eq_dec i n) as [->|other].
  - rewrite sum_zero; [lra|]. intros k few. apply zero; lia.
  - rewrite (IH f i), (zero n); [lra|lia|lia|lia|]. intros k few. apply zero. lia.
Qed.

(** ** Queries *)

Lemma weight_upper : forall {Label} (A : sampler Label) j i, (j <= i)%nat -> weight A j i = 0.
Proof.
  intros Label A j i above. unfold weight. destruct (Nat.ltb_spec i j); [lia|reflexivity].
Qed.

Lemma weight_lower : forall {Label} (A : sampler Label) j i, weight A j i <> 0 -> (i < j)%nat.
Proof.
  intros Label A j i nonzero. destruct (Nat.ltb_spec i j); [assumption|].
  rewrite weight_upper in nonzero; [contradiction|assumption].
Qed.

Lemma leads_small : forall {Label} (A : sampler Label) i, leads A i -> (i <= calls A)%nat.
Proof.
  intros Label A i path. induction path as [|j i _ small nonzero]; [lia|].
  apply weight_lower in nonzero. lia.
Qed.

Section Queries.
Context {Label Coordinate : Type}.
Variables (A : sampler Label) (F : network Label Coordinate).
Variables (zeta : state Coordinate) (w : nat -> state Coordinate).
Notation q := (query A F zeta w).

Lemma queries_query : forall n j, (j < n)%nat -> queries A F zeta w n j = q j.
Proof.
  induction n as [|n IH]; intros j small; [lia|].
  destruct (Nat.eq_dec j n) as [->|other]; [reflexivity|].
  simpl. apply Nat.eqb_neq in other as differs. rewrite differs. apply IH. lia.
Qed.

(** The equation that defines a sampler. *)
Lemma query_equation : forall j,
  q j = fun k => start A j * zeta k + sum j (fun i => weight A j i * F (label A i) (q i) k) + w j k.
Proof.
  intros j. unfold query at 1. simpl. rewrite Nat.eqb_refl. extensionality k. do 2 f_equal.
  apply sum_ext. intros i small. rewrite queries_query; [reflexivity|assumption].
Qed.

(** The same, as a sum over all calls. *)
Lemma query_of_all : forall j, (j <= calls A)%nat ->
  q j = fun k => start A j * zeta k + sum (calls A) (fun i => weight A j i * F (label A i) (q i) k) + w j k.
Proof.
  intros j small. rewrite query_equation at 1. extensionality k. do 2 f_equal.
  symmetry. apply sum_longer; [assumption|].
  intros i [above _]. rewrite weight_upper; [lra|assumption].
Qed.
End Queries.
