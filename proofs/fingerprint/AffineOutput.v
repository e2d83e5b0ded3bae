(** * The output of a sampler with an affine network

    For F(l, q) = f_l q + g_l the output is the sum of m_u g_u over the calls and of p_u w_u over the rows,
    where w_u is the start and the noise of row u, m_u the sum of H_ju p_j over the later rows, p_u = f_u m_u,
    and p_N = 1. *)

From Coq Require Import Reals Lra Lia List Arith.
From Fingerprint Require Import Samplers Law Forms.
Open Scope R_scope.

Section Affine.
Context {Label Coordinate : Type}.
Variable decide : forall a b : Label, {a = b} + {a <> b}.
Variable k : Coordinate.
Implicit Types A B : sampler Label.

Definition affine (f : Label -> R) (g : Label -> state Coordinate) : network Label Coordinate :=
  fun l q k => f l * q k + g l k.

(** How answer i reaches the output, if the queries (the output among them) do with the factors p. *)
Definition reach A (p : vector) (i : nat) : R := dot (S (calls A)) (fun j => weight A j i) p.

(** The factors p with which the queries reach the output, for networks of slopes f. *)
Definition factors A (f : Label -> R) (p : vector) : Prop :=
  p (calls A) = 1 /\ forall i, (i < calls A)%nat -> p i = f (label A i) * reach A p i.

Lemma reach_later A p p' i :
  (forall j, (i < j <= calls A)%nat -> p j = p' j) -> reach A p i = reach A p' i.
Proof.
  intros same. apply sum_ext. intros j small. destruct (le_lt_dec j i) as [|].
  - rewrite weight_upper by assumption. ring.
  - rewrite same by lia. reflexivity.
Qed.

(** They are found backwards, from the output on. *)
Lemma factors_exist A f : exists p, factors A f p.
Proof.
  assert (forall n, (n <= calls A)%nat -> exists p, p (calls A) = 1 /\
    forall i, (calls A - n <= i < calls A)%nat -> p i = f (label A i) * reach A p i) as some.
  { induction n as [| n IH]; intros few; [exists (fun _ => 1); split; [reflexivity | lia] |].
    destruct IH as (p & last & later); [lia |]. set (m := (calls A - S n)%nat).
    set (p' := fun i => if Nat.eq_dec i m then f (label A m) * reach A p m else p i).
    exists p'. split; [unfold p'; destruct (Nat.eq_dec (calls A) m); [lia | exact last] |].
    intros i range. rewrite (reach_later A p' p) by
      (intros j after; unfold p'; destruct (Nat.eq_dec j m); [lia | reflexivity]).
    unfold p'. destruct (Nat.eq_dec i m) as [-> |]; [reflexivity | apply later; lia]. }
  destruct (some (calls A)) as (p & last & all); [lia |].
  exists p. split; [exact last | intros; apply all; lia].
Qed.

(** The start and the noise of query u, merged. *)
Definition merged A (zeta : state Coordinate) (w : nat -> state Coordinate) (u : nat) : R :=
  start A u * zeta k + w u k.

(** Multiply the equation of query j by p_j and add: the queries cancel, but for the output. *)
Lemma output_affine A f g zeta w p : factors A f p ->
  output A (affine f g) zeta w k
  = sum (calls A) (fun i => reach A p i * g (label A i) k) + dot (S (calls A)) p (merged A zeta w).
Proof.
  intros [last each]. set (N := calls A) in *. set (q := query A (affine f g) zeta w).
  assert (forall j, (j < S N)%nat -> p j * q j k
    = sum N (fun i => p j * (weight A j i * (f (label A i) * q i k + g (label A i) k)))
      + p j * merged A zeta w j) as row.
  { intros j small. unfold q at 1. rewrite query_of_all by (unfold N in small; lia). fold N q.
    rewrite sum_scal. unfold affine, merged. ring. }
  assert (sum N (fun j => p j * q j k) + 1 * q N k
    = sum N (fun i => p i * q i k) + sum N (fun i => reach A p i * g (label A i) k)
      + dot (S N) p (merged A zeta w)) as total.
  { rewrite <- last.
    change (sum N (fun j => p j * q j k) + p N * q N k) with (sum (S N) (fun j => p j * q j k)).
    rewrite (sum_ext _ _ _ row), sum_plus, sum_swap, <- sum_plus. f_equal.
    apply sum_ext. intros i small. rewrite (each i small). unfold reach, dot. fold N.
    rewrite (sum_ext _ _ (fun j => (f (label A i) * q i k + g (label A i) k) * (weight A j i * p j)))
      by (intros; ring).
    rewrite sum_scal. ring. }
  unfold output. fold N q. lra.
Qed.

(** ** Mean and variance *)

(** The value of the output without start and noise: its mean, where they have mean zero. *)
Definition mean A f g : R := output A (affine f g) (fun _ => 0) silent k.
(** How the output answers to a noise of one in query u. *)
Definition slope A f u : R :=
  output A (affine f (fun _ _ => 0)) (fun _ => 0) (fun v _ => pulse u v) k.
(** The variance of the output where the merged start and noise have the covariance Sigma. *)
Definition variance A Sigma f : R := quadratic (S (calls A)) Sigma (slope A f).

Lemma mean_factors A f g p : factors A f p ->
  mean A f g = sum (calls A) (fun i => reach A p i * g (label A i) k).
Proof.
  intros found. unfold mean. rewrite (output_affine _ _ _ _ _ p found). unfold dot at 1, merged, silent.
  rewrite (sum_zero (S _)) by (intros; ring). ring.
Qed.

Lemma slope_factors A f p u : factors A f p -> (u <= calls A)%nat -> slope A f u = p u.
Proof.
  intros found small. unfold slope. rewrite (output_affine _ _ _ _ _ p found), sum_zero by (intros; ring).
  rewrite Rplus_0_l, <- (dot_pulse (S (calls A)) p u) by lia. apply sum_ext. intros. unfold merged. ring.
Qed.

Lemma variance_factors A Sigma f p : factors A f p -> variance A Sigma f = quadratic (S (calls A)) Sigma p.
Proof.
  intros found. apply sum_ext. intros u ?. apply sum_ext. intros v ?.
  rewrite !(slope_factors A f p) by (trivial; lia). reflexivity.
Qed.

(** ** Networks of one's choice *)

(** One at the label l, zero at the others. *)
Definition only (l : Label) : Label -> R := fun l' => if decide l l' then 1 else 0.

Definition distinct A : Prop :=
  forall i j, (i < calls A)%nat -> (j < calls A)%nat -> label A i = label A j -> i = j.
Definition live A : Prop := forall i, (i < calls A)%nat -> leads A i.

Lemma sum_label A (a : nat -> R) i : distinct A -> (i < calls A)%nat ->
  sum (calls A) (fun j => a j * only (label A i) (label A j)) = a i.
Proof.
  intros names small. rewrite (sum_only _ _ i small); unfold only.
  - destruct (decide (label A i) (label A i)); [ring | congruence].
  - intros j ? other. destruct (decide (label A i) (label A j)) as [same |]; [| ring].
    destruct other. symmetry. apply names; assumption.
Qed.

Lemma mean_only A f p i : distinct A -> factors A f p -> (i < calls A)%nat ->
  mean A f (fun l _ => only (label A i) l) = reach A p i.
Proof. intros names found small. rewrite (mean_factors _ _ _ p found). apply sum_label; assumption. Qed.

Lemma mean_unused A f l : (forall i, (i < calls A)%nat -> label A i <> l) ->
  mean A f (fun l' _ => only l l') = 0.
Proof.
  intros unused. destruct (factors_exist A f) as [p found]. rewrite (mean_factors _ _ _ p found).
  apply sum_zero. intros i small. unfold only. destruct (decide l (label A i)); [| ring].
  destruct (unused i small). congruence.
Qed.

(** The hyperplanes to be avoided: p_N = 0, and those on which an answer does not reach the output. *)
Definition avoided A : list vector :=
  pulse (calls A) :: map (fun i j => weight A j i) (seq 0 (calls A)).

Lemma avoided_nonzero A : live A -> forall h, In h (avoided A) -> nonzero (S (calls A)) h.
Proof.
  intros live h [<- | column].
  - exists (calls A). split; [lia |]. unfold pulse. destruct (Nat.eq_dec _ _); [lra | congruence].
  - apply in_map_iff in column as (i & <- & small). apply in_seq in small.
    destruct (live i) as [| j i path nonzero]; [lia | lia |].
    exists j. split; [apply leads_small in path; lia | exact nonzero].
Qed.

(** Off these, all p are factors of some network, after division by p_N. *)
Lemma factors_off A p : distinct A -> off (S (calls A)) (avoided A) p ->
  p (calls A) <> 0 /\ exists f, factors A f (multiple (/ p (calls A)) p).
Proof.
  intros names outside. set (N := calls A) in *.
  assert (p N <> 0) as last.
  { specialize (outside (pulse N) (or_introl eq_refl)). intros zero. apply outside. apply sum_zero.
    intros u _. unfold pulse. destruct (Nat.eq_dec N u) as [<- |]; [rewrite zero |]; ring. }
  split; [exact last |]. set (p' := multiple (/ p N) p).
  assert (forall i, (i < N)%nat -> reach A p' i <> 0) as heard.
  { intros i small. unfold reach, p'. fold N. rewrite (dot_multiple (S N)).
    apply Rmult_integral_contrapositive. split; [apply Rinv_neq_0_compat, last |].
    apply outside. right. apply in_map_iff. exists i. split; [reflexivity | apply in_seq; lia]. }
  exists (fun l => sum N (fun i => p' i / reach A p' i * only l (label A i))). fold p'.
  split; [apply Rinv_l, last |]. intros i small. unfold N. cbv beta.
  rewrite (sum_label A (fun i => p' i / reach A p' i)) by assumption. field. apply heard, small.
Qed.
End Affine.
